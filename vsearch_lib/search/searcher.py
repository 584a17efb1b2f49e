"""Searching a version: one probe of the coarse quantizer for all shards, then exact re-scoring of the shortlist."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import faiss
import numpy as np
import pyarrow as pa

from vsearch_lib.artefact.files import verified_file
from vsearch_lib.artefact.manifest import Manifest
from vsearch_lib.artefact.pointer import current_manifest
from vsearch_lib.artefact.rows import ROWS
from vsearch_lib.artefact.tombstones import dead_rows, read_tombstones
from vsearch_lib.errors import ArtefactError
from vsearch_lib.search.filter import Admitted, Filter, admitted
from vsearch_lib.search.shards import OpenShard, open_shards, stack
from vsearch_lib.storage import Store, open_store
from vsearch_lib.vectors import RowIds, Vectors, to_float32

_ROWS_PER_BLOCK = 65_536  # whose vectors an exact search holds as float32 at once
_EXACT_BELOW = 5_000  # admitted rows; scoring this many exactly takes no longer than visiting lists
_FILTERS_KEPT = 64  # a bit a row each


@dataclass(frozen=True)
class Hits:
    """Answers to n queries, best first: row ids and cosines, both (n, k); the id is -1 after the last answer."""

    ids: RowIds
    scores: Vectors


class Searcher:
    """A version of the index, open for searching; files stay memory-mapped, and threads may share it.

    Answers have only living, unblocked images, and private ones only for their owner.
    """

    def __init__(self, store: Store, manifest: Manifest, *, cache: Path, before: "Searcher | None" = None) -> None:
        """Verify and open every file of `manifest`, except shards that `before` has open.

        Args:
            cache: the folder for copies of files in a bucket.

        Raises:
            ArtefactError: a file is missing, corrupted, or does not have the rows that the manifest says.
        """
        self.manifest = manifest
        # The stack points to these shards, so they must live as long as it does.
        self._shards: dict[str, OpenShard] = open_shards(store, manifest, cache, before._shards if before else {})
        shards = list(self._shards.values())
        self._first_ids = np.array([shard.entry.first_id for shard in shards] + [manifest.rows])
        self.rows = pa.concat_tables(shard.rows for shard in shards) if shards else ROWS.empty_table()
        self._index = faiss.read_index(str(verified_file(store, manifest.template, cache)))
        ivf = faiss.extract_index_ivf(self._index)
        self._list_count = int(ivf.nlist)
        self._graph_over_lists = isinstance(faiss.downcast_index(ivf.quantizer), faiss.IndexHNSW)
        self._lists = stack(self._index, shards)
        verified_file(store, manifest.template_sample, cache)  # no query reads it, but an incomplete version is refused
        tombstones = read_tombstones([verified_file(store, file, cache) for file in manifest.tombstones])
        dead = [dead_rows(tombstones, shard.rows["image_id"], shard.entry.first_id) for shard in shards]
        self._alive = ~np.concatenate([*dead, np.zeros(0, dtype=bool)])
        self._everybodys = Admitted(self._alive & admitted(self.rows, Filter()))
        self._filters: OrderedDict[Filter, Admitted] = OrderedDict()
        self._filters_lock = Lock()

    @classmethod
    def open(cls, index_uri: str, *, cache: Path) -> "Searcher":
        """Open the version that CURRENT names.

        Raises:
            ArtefactError: nothing is published there, or what is published does not verify.
        """
        store = open_store(index_uri)
        manifest = current_manifest(store)
        if manifest is None:
            raise ArtefactError(
                f"nothing is published at {index_uri}: run vsearch run nightly, or name another index.uri"
            )
        return cls(store, manifest, cache=cache)

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        wanted: Filter | None = None,
        nprobe: int | None = None,
        shortlist: int | None = None,
        rescore: bool = True,
    ) -> Hits:
        """Return the `k` best rows for each unit vector of `queries` (n, d), among those that `wanted` lets pass.

        `nprobe` lists are visited, and the best `shortlist` rows by their codes are re-scored exactly; both default to
        the operating point in the manifest. If a filter lets few rows pass, more lists are visited, so that as many
        rows are compared as without it; if it lets very few pass, each of them is scored exactly. Without `rescore` the
        scores of the codes decide.
        """
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        passing = self._passing(wanted)
        if wanted is not None and passing.count <= _EXACT_BELOW:
            return self._exact_among(queries, passing.ids(), k)
        point = self.manifest.search
        share = min(1.0, passing.count / max(1, self._everybodys.count))
        visited = min(self._list_count, round((nprobe or point.nprobe) / max(share, 1 / self._list_count)))
        # By default a graph search stops after 16 candidates, however many lists are to be found.
        graph = faiss.SearchParametersHNSW(efSearch=visited) if self._graph_over_lists else None
        parameters = faiss.SearchParametersIVF(sel=passing.selector, nprobe=visited, quantizer_params=graph)
        if isinstance(self._index, faiss.IndexPreTransform):
            parameters = faiss.SearchParametersPreTransform(index_params=parameters)
        depth = min(max(shortlist or point.shortlist, k) if rescore else k, max(1, len(self.rows)))
        scores, ids = self._index.search(queries, depth, params=parameters)
        if rescore:
            for i, query in enumerate(queries):
                ascending = np.sort(ids[i, ids[i] >= 0])
                exact = self._vectors(ascending) @ query
                best = np.argsort(-exact, kind="stable")[:k]
                ids[i, : len(best)], scores[i, : len(best)] = ascending[best], exact[best]
        return _padded(ids[:, :k], scores[:, :k], k)

    def exact(self, queries: Vectors, k: int, *, wanted: Filter | None = None) -> Hits:
        """Return what `search` would return if it scored every row exactly."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        passing = self._passing(wanted)
        heap = faiss.ResultHeap(len(queries), k, keep_max=True)
        for first, shard in zip(self._first_ids, self._shards.values(), strict=False):
            for start in range(0, len(shard.vectors), _ROWS_PER_BLOCK):
                block = to_float32(shard.vectors[start : start + _ROWS_PER_BLOCK])
                low, high = int(first) + start, int(first) + start + len(block)
                scores = np.where(passing.mask(low, high), queries @ block.T, -np.inf).astype(np.float32)
                best = np.argpartition(-scores, min(k, len(block)) - 1, axis=1)[:, :k]
                heap.add_result(np.take_along_axis(scores, best, 1), low + best)
        heap.finalize()
        heap.I[~np.isfinite(heap.D)] = -1
        return _padded(heap.I, heap.D, k)

    def vectors(self, ids: RowIds) -> Vectors:
        """Return the stored vectors of row ids, (n, d) float32."""
        order = np.argsort(ids)
        vectors = np.empty((len(ids), self.manifest.dimension), dtype=np.float32)
        vectors[order] = self._vectors(ids[order])
        return vectors

    def _vectors(self, ascending: RowIds) -> Vectors:
        """Return the stored vectors of ascending row ids, read shard by shard."""
        ends = np.searchsorted(ascending, self._first_ids)
        halves = np.empty((len(ascending), self.manifest.dimension), dtype=np.float16)
        for shard, first_id, start, end in zip(self._shards.values(), self._first_ids, ends, ends[1:], strict=False):
            if start < end:
                # Ids are in range; "clip" avoids the copy that numpy makes in case one is not.
                np.take(shard.vectors, ascending[start:end] - first_id, axis=0, out=halves[start:end], mode="clip")
        return to_float32(halves)

    @property
    def bytes_per_vector(self) -> int:
        """The bytes of a row in the inverted lists: its code and its 64-bit id."""
        return int(faiss.extract_index_ivf(self._index).code_size) + 8

    @property
    def imbalance(self) -> float:
        """The cost of a query relative to one over lists of equal length (faiss's imbalance factor)."""
        return float(self._lists.imbalance_factor()) if len(self.rows) else 1.0

    def quantization_error(self, ids: RowIds) -> float:
        """Return the mean squared distance between stored vectors and their decoded codes."""
        vectors = self.vectors(ids)
        if not len(vectors):
            return 0.0
        decoded = self._index.sa_decode(self._index.sa_encode(vectors))
        return float(np.mean(((vectors - decoded) ** 2).sum(axis=1)))

    def visible_ids(self) -> RowIds:
        """Return the ids of the rows that everybody may see."""
        return self._everybodys.ids()

    def living_ids(self) -> RowIds:
        """Return the ids of the rows that are not dead, whoever may see them."""
        return np.flatnonzero(self._alive).astype(np.int64)

    @property
    def dead(self) -> int:
        """The number of dead rows, which are those with a tombstone."""
        return int((~self._alive).sum())

    def describe(self, ids: RowIds) -> list[dict[str, Any]]:
        """Return the stored facts of row ids, in their order."""
        # Arrow's `take` would first copy all rows into one piece.
        facts: list[dict[str, Any]] = pa.concat_tables(
            [self.rows.schema.empty_table(), *(self.rows.slice(int(row), 1) for row in ids)]
        ).to_pylist()
        return facts

    def row_of(self, image_id: str) -> int | None:
        """Return the row id of an image that is not dead, whoever may see it; None if there is none."""
        for first_id, shard in zip(self._first_ids[-2::-1], reversed(self._shards.values()), strict=True):
            row = shard.image_ids.row_of(image_id)
            if row is not None and self._alive[first_id + row]:
                return int(first_id + row)
        return None

    def _passing(self, wanted: Filter | None) -> Admitted:
        if wanted is None:
            return self._everybodys
        with self._filters_lock:
            if wanted in self._filters:
                self._filters.move_to_end(wanted)
                return self._filters[wanted]
        passing = Admitted(self._alive & admitted(self.rows, wanted))
        with self._filters_lock:
            self._filters[wanted] = passing
            while len(self._filters) > _FILTERS_KEPT:
                self._filters.popitem(last=False)
        return passing

    def _exact_among(self, queries: Vectors, ids: RowIds, k: int) -> Hits:
        scores = queries @ self.vectors(ids).T
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return _padded(ids[order].astype(np.int64), np.take_along_axis(scores, order, 1), k)


def _padded(ids: RowIds, scores: Vectors, k: int) -> Hits:
    missing = k - ids.shape[1]
    if missing > 0:
        ids = np.pad(ids, ((0, 0), (0, missing)), constant_values=-1)
        scores = np.pad(scores, ((0, 0), (0, missing)), constant_values=-np.inf)
    return Hits(ids, np.where(ids >= 0, scores, -np.inf))
