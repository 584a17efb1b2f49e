"""A training snapshot on this machine: its pictures are memory-mapped, so that memory does not grow with them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vsearch_lib.errors import ArtefactError, VsearchError
from vsearch_lib.examples.boxes import Boxes
from vsearch_lib.examples.snapshot import Snapshot, SnapshotFile, read_snapshot
from vsearch_lib.storage import Store, open_store
from vsearch_lib.training.pair_set import PairSet
from vsearch_lib.vectors import RowIds

_PICTURES = pa.schema([("group", pa.int64()), ("sha256", pa.string()), ("jpeg", pa.large_binary())])


@dataclass(frozen=True)
class LocalSnapshot:
    """A snapshot, copied to this machine.

    Attributes:
        candidates: of each example.
        rows: the number of examples of an epoch.
        examples: for each set of negatives, the Parquet files of its examples.
        boxes: of the parts that people search with.
    """

    candidates: int
    rows: int
    examples: tuple[tuple[Path, ...], ...]
    boxes: Boxes
    _pictures: pa.Table
    _related: PairSet  # of groups

    @property
    def columns(self) -> list[str]:
        """The names of the columns of an example that hold numbers of pictures: the query's, the candidates'."""
        return ["query", *(f"candidate_{i}" for i in range(self.candidates))]

    @property
    def hashes(self) -> list[str]:
        """The sha256 of each picture, in order of their numbers."""
        hashes: list[str] = self._pictures["sha256"].to_pylist()
        return hashes

    def jpegs(self, pictures: RowIds) -> list[bytes]:
        """Return the JPEGs of pictures by number."""
        return [bytes(jpeg) for jpeg in self._pictures["jpeg"].take(pa.array(pictures)).to_pylist()]

    def groups(self, pictures: RowIds) -> RowIds:
        """Return the group of each picture; the result has the same shape."""
        groups = self._pictures["group"].take(pa.array(pictures.ravel())).to_numpy()
        return np.asarray(groups, dtype=np.int64).reshape(pictures.shape)

    def related(self, groups: RowIds, others: RowIds) -> NDArray[np.bool_]:
        """Return (n, m) bool: whether groups (n,) and others (m,) are the same or known to belong together."""
        return np.asarray(self._related.holds(groups, others) | (groups[:, None] == others[None, :]))


def open_snapshot(snapshots_uri: str, name: str, folder: Path) -> LocalSnapshot:
    """Copy the snapshot `name` into the local `folder` and open it.

    Raises:
        VsearchError: the snapshot's files have been deleted.
        ArtefactError: a file is missing or its bytes are not those that were written.
    """
    store = open_store(snapshots_uri)
    snapshot = read_snapshot(store, name)
    if snapshot is None:
        raise VsearchError(
            f"{snapshots_uri}/{name} is not complete or was deleted: run build_training_examples again, or vsearch run "
            "retrain"
        )
    files = {file.file: _fetched(store, name, file, folder) for file in snapshot.files}
    pictures = _mapped([files[file.file] for file in snapshot.pictures], folder / "pictures.arrow")
    examples = tuple(tuple(files[file.file] for file in part) for part in snapshot.examples)
    return LocalSnapshot(
        snapshot.candidates,
        snapshot.rows,
        examples,
        snapshot.boxes,
        pictures,
        _related(snapshot, files, groups=pictures.num_rows),
    )


def _fetched(store: Store, name: str, file: SnapshotFile, folder: Path) -> Path:
    # The store's own file if it is local; a bucket's is copied.
    path = store.fetch(f"{name}/{file.file}", folder / file.file)
    with path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    if sha256 != file.sha256:
        raise ArtefactError(
            f"{store.uri}/{name}/{file.file} is corrupted (sha256 {sha256[:12]}…): run build_training_examples again"
        )
    return path


def _mapped(files: Sequence[Path], to: Path) -> pa.Table:
    """Return the rows of Parquet `files`, memory-mapped from one Arrow file; row i is the picture with number i."""
    number = 0
    with pa.ipc.new_file(to, _PICTURES) as sink:
        for file in files:
            with pq.ParquetFile(file) as pictures:
                for batch in pictures.iter_batches(128):
                    numbers = batch.column("number").to_numpy()
                    if not np.array_equal(numbers, np.arange(number, number + len(numbers))):
                        raise ArtefactError(f"{file}: pictures are not in order of their numbers: build it again")
                    number += len(numbers)
                    sink.write_table(pa.Table.from_batches([batch]).select(_PICTURES.names).cast(_PICTURES))
    return pa.ipc.open_file(pa.memory_map(str(to))).read_all()


def _related(snapshot: Snapshot, files: dict[str, Path], *, groups: int) -> PairSet:
    pairs = [pq.read_table(files[file.file]) for file in snapshot.related]
    if not pairs:
        return PairSet(np.empty(0, np.int64), np.empty(0, np.int64), size=groups)
    table = pa.concat_tables(pairs)
    return PairSet(table["group"].to_numpy(), table["other_group"].to_numpy(), size=groups)
