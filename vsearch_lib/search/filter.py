"""Which rows may answer a query: those that everybody may see, or those of an owner, with tags, or of a time."""

from dataclasses import dataclass
from datetime import datetime

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vsearch_lib.artefact.tombstones import Mask
from vsearch_lib.eligibility import visible
from vsearch_lib.vectors import RowIds


@dataclass(frozen=True)
class Filter:
    """The conditions that an answer must meet; an empty filter lets every public image pass.

    Attributes:
        owner_id: the owner of the image.
        tags: the image has all of them.
        uploaded_from, uploaded_before: the time of the upload, with a time zone.
        viewer_id: the user who searches, and who also sees their own private images.
    """

    owner_id: str | None = None
    tags: tuple[str, ...] = ()
    uploaded_from: datetime | None = None
    uploaded_before: datetime | None = None
    viewer_id: str | None = None


class Admitted:
    """The rows that a filter lets pass, in the form that faiss takes."""

    def __init__(self, mask: Mask) -> None:
        self.count = int(mask.sum())
        self._bits = np.packbits(mask, bitorder="little")  # the selector points to this array
        self._rows = len(mask)
        # If all rows pass, faiss need not look any up.
        self.selector = faiss.IDSelectorBitmap(self._bits) if self.count < len(mask) else None

    def ids(self) -> RowIds:
        """Return the ids of the rows, ascending."""
        return np.flatnonzero(np.unpackbits(self._bits, count=self._rows, bitorder="little"))

    def mask(self, first: int, last: int) -> Mask:
        """Return which of the rows `first` … `last` - 1 pass."""
        start = first // 8
        bits = np.unpackbits(self._bits[start : -(-last // 8)], bitorder="little")
        return bits[first - 8 * start : last - 8 * start].astype(bool)


def admitted(rows: pa.Table, wanted: Filter) -> Mask:
    """Return which of `rows` (columns of ROWS) may be answered under a filter."""
    conditions = []
    if wanted.owner_id is not None:
        conditions.append(pc.equal(rows["owner_id"], wanted.owner_id))
    if wanted.uploaded_from is not None:
        conditions.append(pc.greater_equal(rows["uploaded_at"], pa.scalar(wanted.uploaded_from, _MOMENT)))
    if wanted.uploaded_before is not None:
        conditions.append(pc.less(rows["uploaded_at"], pa.scalar(wanted.uploaded_before, _MOMENT)))
    mask = visible(rows, wanted.viewer_id)
    for condition in conditions:
        mask &= np.asarray(pc.fill_null(condition, False))
    for tag in wanted.tags:
        mask &= _tagged(rows["tags"], tag)
    return mask


_MOMENT = pa.timestamp("us", "UTC")


def _tagged(tags: pa.ChunkedArray, tag: str) -> Mask:
    mask = np.zeros(len(tags), dtype=bool)
    first = 0
    for chunk in tags.chunks:
        same = np.asarray(pc.fill_null(pc.equal(pc.list_flatten(chunk), tag), False))
        mask[first + np.asarray(pc.list_parent_indices(chunk))[same]] = True
        first += len(chunk)
    return mask
