"""Searching a version: one probe of the coarse quantizer over all shards, then exact re-scoring of the short list."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa

from vsearch_lib.errors import ArtefactError
from vsearch_lib.index import manifest as manifests
from vsearch_lib.index.published import current_manifest, verified_file
from vsearch_lib.storage import Store, open_store
from vsearch_lib.vectors import RowIds, Vectors

_ROWS_PER_BLOCK = 65_536  # of vectors held as float32 at once by an exact search


@dataclass(frozen=True)
class Hits:
    """Answers to n queries, best first: row ids and cosines, both (n, k); id -1 where there are fewer than k."""

    ids: RowIds
    scores: Vectors


class Searcher:
    """A version of the index, open for searching; files stay memory-mapped.

    Only public, unblocked images are ever answered.
    """

    def __init__(self, store: Store, manifest: manifests.Manifest) -> None:
        """Verify and open every file of `manifest`.

        Raises:
            ArtefactError: a file is missing, corrupted, or does not have the rows the manifest says.
        """
        self.manifest = manifest
        self._downloads = tempfile.TemporaryDirectory(prefix="vsearch-index-")
        shards = [_open_shard(store, entry, Path(self._downloads.name)) for entry in manifests.shards_of(manifest)]
        self._first_ids = np.array([shard.first_id for shard in shards] + [manifests.rows_of(manifest)])
        self._vectors = [shard.vectors for shard in shards]
        self.rows = pa.concat_tables(shard.rows for shard in shards)
        # What the stack points at must live as long as it does.
        self._indexes = [shard.codes for shard in shards]
        template = faiss.read_index(str(verified_file(store, manifest["template"], Path(self._downloads.name))))
        self._index, self._lists = _stack(template, self._indexes)
        visible = np.asarray(self.rows["visibility"]) == "public"
        visible &= np.asarray(self.rows["moderation"]) != "blocked"
        self._visible = visible
        self._selector_bits = np.packbits(visible, bitorder="little")
        self._selector = faiss.IDSelectorBitmap(self._selector_bits)

    @classmethod
    def open(cls, index_uri: str) -> "Searcher":
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
        return cls(store, manifest)

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        nprobe: int | None = None,
        shortlist: int | None = None,
        rescore: bool = True,
    ) -> Hits:
        """Return the `k` best rows for each unit vector of `queries` (n, d).

        `nprobe` lists are visited and the best `shortlist` rows by their codes re-scored exactly; both default to the
        operating point in the manifest. Without `rescore` the codes' own scores decide.
        """
        point = self.manifest["search"]
        lists = faiss.extract_index_ivf(self._index).nlist
        parameters = faiss.SearchParametersIVF(sel=self._selector, nprobe=min(nprobe or point["nprobe"], lists))
        if isinstance(self._index, faiss.IndexPreTransform):
            parameters = faiss.SearchParametersPreTransform(index_params=parameters)
        depth = min(max(shortlist or point["shortlist"], k) if rescore else k, len(self._visible))
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        scores, ids = self._index.search(queries, depth, params=parameters)
        if rescore:
            for i, query in enumerate(queries):
                found = ids[i] >= 0
                scores[i, found] = self.vectors(ids[i, found]) @ query
                order = np.argsort(-scores[i], kind="stable")
                ids[i], scores[i] = ids[i, order], scores[i, order]
        return _padded(ids[:, :k], scores[:, :k], k)

    def exact(self, queries: Vectors, k: int) -> Hits:
        """Return what `search` would return if it looked at every row."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        heap = faiss.ResultHeap(len(queries), k, keep_max=True)
        for first, vectors in zip(self._first_ids, self._vectors, strict=False):
            for start in range(0, len(vectors), _ROWS_PER_BLOCK):
                block = np.asarray(vectors[start : start + _ROWS_PER_BLOCK], dtype=np.float32)
                ids = np.arange(first + start, first + start + len(block))
                scores = np.where(self._visible[ids], queries @ block.T, -np.inf).astype(np.float32)
                best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
                heap.add_result(np.take_along_axis(scores, best, 1), ids[best])
        heap.finalize()
        heap.I[~np.isfinite(heap.D)] = -1
        return _padded(heap.I, heap.D, k)

    def vectors(self, ids: RowIds) -> Vectors:
        """Return the stored vectors of row ids, (n, d) float32."""
        shards = np.searchsorted(self._first_ids, ids, side="right") - 1
        found = np.empty((len(ids), self.manifest["dimension"]), dtype=np.float32)
        for shard in np.unique(shards):
            mine = shards == shard
            found[mine] = self._vectors[shard][ids[mine] - self._first_ids[shard]]
        return found

    @property
    def bytes_per_vector(self) -> int:
        """What a row takes in the inverted lists: its code and its 64-bit id."""
        return int(faiss.extract_index_ivf(self._index).code_size) + 8

    def visible_ids(self) -> RowIds:
        """Return the row ids that can be answered."""
        return np.flatnonzero(self._visible)

    def describe(self, ids: RowIds) -> list[dict[str, Any]]:
        """Return the stored facts of row ids, in their order."""
        facts: list[dict[str, Any]] = self.rows.take(pa.array(ids)).to_pylist()
        return facts


@dataclass(frozen=True)
class _Shard:
    first_id: int
    codes: faiss.Index
    rows: pa.Table
    vectors: Vectors


def _open_shard(store: Store, entry: dict[str, Any], downloads: Path) -> _Shard:
    codes_path, rows_path, vectors_path = (verified_file(store, entry[part], downloads) for part in manifests.PARTS)
    codes = faiss.read_index(str(codes_path), faiss.IO_FLAG_MMAP_IFC)
    rows = pa.ipc.open_file(pa.memory_map(str(rows_path))).read_all()
    count = int(entry["rows"])
    stored = vectors_path.stat().st_size / (2 * codes.d)
    if codes.ntotal != count or rows.num_rows != count or stored != count:
        raise ArtefactError(
            f"{entry['name']}: {codes.ntotal} codes, {rows.num_rows} rows, {stored:g} vectors; manifest: {count}"
        )
    vectors = np.memmap(vectors_path, dtype="<f2", mode="r", shape=(count, codes.d))
    return _Shard(int(entry["first_id"]), codes, rows, vectors)


def _stack(template: faiss.Index, indexes: list[faiss.Index]) -> tuple[faiss.Index, faiss.InvertedLists]:
    """Make the empty `template` of `indexes` search the lists of them all, one behind the other.

    Returns it and the lists it points at; these and `indexes` must live as long as it does.
    """
    pointers = faiss.InvertedListsPtrVector()
    for index in indexes:
        pointers.push_back(faiss.extract_index_ivf(index).invlists)
    lists = faiss.HStackInvertedLists(pointers.size(), pointers.data())
    ivf = faiss.extract_index_ivf(template)
    ivf.replace_invlists(lists, False)
    ivf.ntotal = template.ntotal = sum(index.ntotal for index in indexes)
    return template, lists


def _padded(ids: RowIds, scores: Vectors, k: int) -> Hits:
    missing = k - ids.shape[1]
    if missing > 0:
        ids = np.pad(ids, ((0, 0), (0, missing)), constant_values=-1)
        scores = np.pad(scores, ((0, 0), (0, missing)), constant_values=-np.inf)
    return Hits(ids, np.where(ids >= 0, scores, -np.inf))
