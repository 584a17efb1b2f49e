"""The template: a trained, empty index; every shard starts as a copy of it."""

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.errors import UsageError
from vsearch_lib.index.clustering import single_faiss_threads, train_coarse
from vsearch_lib.index.factory import untrained_index, wrong_dimension
from vsearch_lib.spark.session import rows_per_batch
from vsearch_lib.vectors import Vectors

_GRAIN = 1 << 30
_ROWS_PER_BATCH = 8192
# From this many on, plain k-means costs as much as the rest of a build, and two levels find lists that are as good.
_MANY_LISTS = 1_024
# Rounds of k-means, as many as for the lists; the 25 of faiss take twice the time and were never better.
_CODEBOOK_ROUNDS = 10
# Candidates compared for the edges of a list's centroid: the 40 of faiss miss a quarter of the nearest lists, 100 and
# 200 miss a tenth.
_GRAPH_EFFORT = 100


@dataclass(frozen=True)
class Sample:
    """Vectors (n, d) to train on, and Spark's xxhash64 of their image ids (n), in order of image_id.

    The hashes show whether an image was in the sample, and no list of ids outlives an erasure.
    """

    vectors: Vectors
    id_hashes: pa.ChunkedArray

    def write(self, path: Path) -> None:
        """Write the hashes as an Arrow file, in their own order: equal samples give equal bytes."""
        hashes = pa.table([self.id_hashes], schema=pa.schema([("image_id_hash", pa.int64())])).sort_by("image_id_hash")
        with pa.ipc.new_file(path, hashes.schema) as file:
            file.write_table(hashes.combine_chunks())


def training_sample(vectors: DataFrame, *, wanted: int, total: int, seed: int) -> Sample:
    """Return about `wanted` of `total` vectors (image_id, vector), float32, in order of image_id.

    A seeded hash of the id decides, so the sample does not depend on the layout of the table, and only the sample
    itself is sorted and collected.
    """
    keep = F.pmod(F.xxhash64("image_id", F.lit(seed), F.lit("template")), F.lit(_GRAIN))
    share = min(1.0, wanted / max(1, total))
    kept = vectors.where(keep < F.lit(round(share * _GRAIN)))
    with rows_per_batch(vectors.sparkSession, _ROWS_PER_BATCH):
        table = kept.select("image_id", "vector", F.xxhash64("image_id").alias("hash")).toArrow()
    order = pc.sort_indices(table["image_id"])
    flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
    return Sample(flat.reshape(table.num_rows, -1)[order.to_numpy()], table["hash"].take(order))


def train_template(sample: Vectors, factory: str) -> bytes:
    """Return the serialised index of `factory` trained on `sample` (n, d), inner product.

    Training is deterministic: equal samples give equal bytes, whatever the number of threads.

    Raises:
        UsageError: the factory has more lists or larger codebooks than that many vectors can train, or does not fit
            their dimension.
    """
    index = untrained_index(factory, sample.shape[1])
    # The factory was chosen for the catalogue's size: faiss need not warn about it again.
    ivf = faiss.downcast_index(faiss.extract_index_ivf(index))
    ivf.cp.min_points_per_centroid = 1
    if isinstance(ivf, faiss.IndexIVFPQ):
        ivf.pq.cp.min_points_per_centroid = 1
        ivf.pq.cp.niter = _CODEBOOK_ROUNDS
    graph = faiss.downcast_index(ivf.quantizer)
    if isinstance(graph, faiss.IndexHNSW):
        # A query never finds the rows of a list that the graph does not lead to, however many lists it visits.
        graph.hnsw.efConstruction = _GRAPH_EFFORT
        graph.keep_max_size_level0 = True
    sample = np.ascontiguousarray(sample)
    transforms = _transforms(index)
    try:
        # A rotation is learnt with these codebooks, so they must live until it is trained.
        codebooks = [_codebook_of(transform) for transform in transforms if isinstance(transform, faiss.OPQMatrix)]
        with single_faiss_threads() as threads:
            if ivf.nlist >= _MANY_LISTS:
                transformed = threads.submit(_transformed, transforms, sample).result()
                train_coarse(ivf.quantizer, transformed, ivf.nlist, threads)
            threads.submit(index.train, sample).result()
        del codebooks
    except RuntimeError as error:
        if "multiple of the number of subquantizers" in str(error):
            raise wrong_dimension(factory, sample.shape[1]) from None
        if "should be at least as large as number of clusters" not in str(error):
            raise
        raise UsageError(
            f"index.factory = {factory}: {len(sample)} vectors are too few to train it; give auto, or fewer lists and "
            "smaller codes, as in IVF16,PQ8x4"
        ) from None
    return bytes(faiss.serialize_index(index).tobytes())


def _transforms(index: faiss.Index) -> list[faiss.VectorTransform]:
    """Return what `index` does to a vector before it reaches a list: a rotation if the factory has OPQ or RR."""
    if not isinstance(index, faiss.IndexPreTransform):
        return []
    return [faiss.downcast_VectorTransform(index.chain.at(number)) for number in range(index.chain.size())]


def _codebook_of(rotation: faiss.OPQMatrix) -> faiss.ProductQuantizer:
    codebook = faiss.ProductQuantizer(rotation.d_out, rotation.M, 8)
    codebook.cp.min_points_per_centroid = 1
    rotation.pq = codebook
    return codebook


def _transformed(transforms: list[faiss.VectorTransform], sample: Vectors) -> Vectors:
    """Train `transforms`, and return the transformed sample."""
    for transform in transforms:
        transform.train(sample)
        sample = transform.apply(sample)
    return sample
