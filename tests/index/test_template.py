"""The template is the same for the same vectors, whatever their layout."""

from __future__ import annotations

import faiss
import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from vsearch_lib.errors import UsageError
from vsearch_lib.index.template import train_template, training_sample

ROWS = 400


@pytest.fixture(scope="module")
def vectors(small_index):
    return small_index.clustered_vectors(ROWS, 8, 1)


@pytest.fixture(scope="module")
def table(spark, vectors):
    rows = [(f"image-{i:04d}", vector.tolist()) for i, vector in enumerate(vectors)]
    return spark.createDataFrame(rows, "image_id string, vector array<float>").cache()


@pytest.mark.parametrize("factory", ["IVF8,PQ4x4np", "IVF8_HNSW32,PQ4x4np", "IVF1,Flat", "IVF4,SQ8"])
def test_equal_samples_give_equal_bytes(vectors, factory):
    assert train_template(np.asfortranarray(vectors), factory) == train_template(vectors, factory)


LISTS_AND_CODES = ["IVF64,PQ8x4np", "IVF64_HNSW32,PQ8x4np", "IVF1024,PQ8x4np", "IVF1024_HNSW32,PQ8x4np"]


@pytest.mark.parametrize(("factory", "rows"), [*((one, 6_000) for one in LISTS_AND_CODES), ("OPQ8,IVF9,PQ8x4", 2_000)])
def test_a_template_is_the_same_on_any_number_of_threads(factory, rows):
    # Many vectors of zeros and ones are equally near to two centroids, so the rounding of a product would decide.
    sample = np.random.default_rng(1).integers(0, 2, size=(rows, 32)).astype(np.float32) + 0.01
    sample /= np.linalg.norm(sample, axis=1, keepdims=True)
    threads = faiss.omp_get_max_threads()
    trained = set()
    try:
        for number in (1, 2):
            faiss.omp_set_num_threads(number)
            trained.add(train_template(sample, factory))
    finally:
        faiss.omp_set_num_threads(threads)
    assert len(trained) == 1


@pytest.mark.parametrize("factory", ["IVF1024_HNSW32,PQ4x4np", "OPQ4,IVF1024,PQ4x4np"])
def test_every_one_of_a_thousand_lists_is_trained(small_index, factory):
    sample = small_index.clustered_vectors(3_000, 8, 5)
    index = faiss.deserialize_index(np.frombuffer(train_template(sample, factory), dtype=np.uint8))
    assert index.is_trained
    assert faiss.extract_index_ivf(index).quantizer.ntotal == 1_024


def test_the_graph_over_lists_finds_nearly_all_of_the_nearest_lists():
    rng = np.random.default_rng(4)
    points = rng.normal(size=(1_500, 64))[rng.integers(1_500, size=20_000)] + 0.3 * rng.normal(size=(20_000, 64))
    sample = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    index = faiss.deserialize_index(np.frombuffer(train_template(sample, "IVF1024_HNSW32,PQ4x4np"), dtype=np.uint8))
    graph = faiss.downcast_index(faiss.extract_index_ivf(index).quantizer)
    every = faiss.IndexFlatIP(64)
    every.add(graph.storage.reconstruct_n(0, 1_024))
    found = graph.search(sample[:500], 32, params=faiss.SearchParametersHNSW(efSearch=32))[1]
    nearest = every.search(sample[:500], 32)[1]
    # With faiss's default way to build the graph it is 0.991.
    assert np.mean([len(np.intersect1d(one, two)) / 32 for one, two in zip(nearest, found, strict=True)]) > 0.995


def test_a_template_is_trained_empty_and_compares_by_inner_product(vectors):
    index = faiss.deserialize_index(np.frombuffer(train_template(vectors, "IVF8,PQ4x4np"), dtype=np.uint8))
    assert index.is_trained
    assert index.ntotal == 0
    assert index.metric_type == faiss.METRIC_INNER_PRODUCT


@pytest.mark.parametrize("factory", ["IVF8,PQ4x4np", "IVF8,Flat", "OPQ4,IVF8,PQ4x4np"])
def test_training_on_fewer_vectors_than_faiss_recommends_prints_no_warning(vectors, capfd, factory):
    train_template(vectors[:300], factory)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize("factory", ["IVF64,Flat", "IVF4,PQ4", "OPQ4,IVF4,PQ4", "IVF64_HNSW32,PQ4x4", "IVF1024,PQ4x4"])
def test_a_factory_that_needs_more_vectors_is_a_usage_error(vectors, factory):
    with pytest.raises(UsageError, match=f"index.factory = {factory}: 50 vectors are too few"):
        train_template(vectors[:50], factory)


@pytest.mark.parametrize("factory", ["IVF4,PQ3x4", "OPQ3,IVF4,PQ4x4", "OPQ3_6,IVF4,PQ4x4"])
def test_a_factory_for_other_dimensions_is_a_usage_error(vectors, factory):
    with pytest.raises(UsageError, match=f"index.factory = {factory}: faiss has no such index for 8 dimensions; give"):
        train_template(vectors, factory)


def test_a_sample_of_all_vectors_is_all_of_them_in_order_of_image_id(table, vectors):
    for wanted in (ROWS, 10 * ROWS):
        sample = training_sample(table, wanted=wanted, total=ROWS, seed=1).vectors
        assert sample.dtype == np.float32
        np.testing.assert_array_equal(sample, vectors)


def test_the_sample_depends_on_the_seed_and_not_on_the_partitions(table):
    first = training_sample(table, wanted=100, total=ROWS, seed=1).vectors
    np.testing.assert_array_equal(training_sample(table.repartition(5), wanted=100, total=ROWS, seed=1).vectors, first)
    assert not np.array_equal(training_sample(table, wanted=100, total=ROWS, seed=2).vectors, first)


def test_a_sample_has_about_as_many_vectors_as_wanted_and_each_once(table, vectors):
    sample = training_sample(table, wanted=100, total=ROWS, seed=3).vectors
    assert abs(len(sample) - 100) < 4 * np.sqrt(ROWS * 0.25 * 0.75)
    known = {vector.tobytes() for vector in vectors}
    assert len({vector.tobytes() for vector in sample}) == len(sample)
    assert all(vector.tobytes() in known for vector in sample)


def test_the_hashes_saved_with_a_template_show_which_images_it_was_trained_on(spark, table, tmp_path):
    sample = training_sample(table, wanted=100, total=ROWS, seed=3)
    sample.write(tmp_path / "sample.arrow")
    kept = pa.ipc.open_file(tmp_path / "sample.arrow").read_all()["image_id_hash"].to_pylist()
    known = {row["hash"]: row for row in table.withColumn("hash", F.xxhash64("image_id")).collect()}
    trained_on = {np.array(known[digest]["vector"], np.float32).tobytes() for digest in kept}
    assert trained_on == {vector.tobytes() for vector in sample.vectors}
