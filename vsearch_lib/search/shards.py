"""The open files of a version: codes, rows and vectors of each shard, verified, memory-mapped, and stacked."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa

from vsearch_lib.artefact.files import verified_file
from vsearch_lib.artefact.manifest import Manifest, Shard
from vsearch_lib.artefact.rows import with_all_columns
from vsearch_lib.errors import ArtefactError
from vsearch_lib.search.lookup import ImageIds
from vsearch_lib.storage import Store
from vsearch_lib.vectors import Halves

_OPENERS = 8  # shards that are copied and verified at once


class MappedLists:
    """The memory-mapped inverted lists of a shard's file, without the copy of the template in that file.

    `__del__` frees them, because an object that SWIG 4.5 should `own` deletes faiss's module when it is freed.
    """

    def __init__(self, codes: faiss.Index) -> None:
        ivf = faiss.extract_index_ivf(codes)
        self.lists = ivf.invlists
        self.rows = int(codes.ntotal)
        ivf.own_invlists = False

    def __del__(self) -> None:
        type(self.lists).__swig_destroy__(self.lists)


@dataclass(frozen=True)
class OpenShard:
    """A shard or delta, open for reading; it never changes, so versions can share it."""

    entry: Shard
    codes: MappedLists
    rows: pa.Table
    vectors: Halves

    @cached_property
    def image_ids(self) -> ImageIds:
        """Where each image stands."""
        return ImageIds(self.rows["image_id"])


def open_shards(store: Store, manifest: Manifest, cache: Path, known: Mapping[str, OpenShard]) -> dict[str, OpenShard]:
    """Return the open shards of a version by name, in order of their row ids; unchanged ones are taken from `known`.

    Raises:
        ArtefactError: a file is missing, corrupted, or does not have the rows that the manifest says.
    """
    entries = manifest.all_shards
    same = {entry.name: known[entry.name] for entry in entries if _is_unchanged(known.get(entry.name), entry)}
    others = [entry for entry in entries if entry.name not in same]
    with ThreadPoolExecutor(_OPENERS) as openers:
        opened = openers.map(lambda entry: _open(store, entry, manifest.dimension, cache), others)
        fresh = {shard.entry.name: shard for shard in opened}
    return {entry.name: (same | fresh)[entry.name] for entry in entries}


def stack(template: faiss.Index, shards: list[OpenShard]) -> faiss.InvertedLists:
    """Make the empty `template` search the lists of all shards, each list joined from all shards.

    Returns the lists that it then points to; these and the shards must live as long as it does.
    """
    if not shards:
        return faiss.extract_index_ivf(template).invlists
    pointers = faiss.InvertedListsPtrVector()
    for shard in shards:
        pointers.push_back(shard.codes.lists)
    lists = faiss.HStackInvertedLists(pointers.size(), pointers.data())
    ivf = faiss.extract_index_ivf(template)
    ivf.replace_invlists(lists, False)
    ivf.ntotal = template.ntotal = sum(shard.codes.rows for shard in shards)
    return lists


def _is_unchanged(shard: OpenShard | None, entry: Shard) -> bool:
    return shard is not None and shard.entry == entry


def _open(store: Store, entry: Shard, dimension: int, cache: Path) -> OpenShard:
    codes_path, rows_path, vectors_path = (verified_file(store, file, cache) for file in entry.files)
    # Mapped into ordinary lists, because faiss's own lists on disk start prefetching threads for every query.
    codes = faiss.read_index(str(codes_path), faiss.IO_FLAG_MMAP_IFC)
    rows = with_all_columns(pa.ipc.open_file(pa.memory_map(str(rows_path))).read_all())
    if rows is None:
        raise ArtefactError(f"{entry.name}: {entry.rows_file.file} does not have the columns of an index")
    count = entry.rows
    stored = vectors_path.stat().st_size / (2 * codes.d)
    if codes.ntotal != count or rows.num_rows != count or stored != count or codes.d != dimension:
        raise ArtefactError(
            f"{entry.name}: {codes.ntotal} codes, {rows.num_rows} rows, {stored:g} vectors of {codes.d} dimensions; "
            f"manifest: {count} of {dimension}"
        )
    # As an ordinary array: numpy indexes its own class for mapped files more slowly.
    vectors = np.asarray(np.memmap(vectors_path, dtype="<f2", mode="r", shape=(count, codes.d)))
    return OpenShard(entry, MappedLists(codes), rows, vectors)
