"""Two levels of k-means find lists that are as good as those of one level."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.index.clustering import single_faiss_threads, train_coarse

LISTS = 64


def filled(sample, lists, quantizer=None):
    quantizer = quantizer or faiss.IndexFlatIP(sample.shape[1])
    with single_faiss_threads() as threads:
        train_coarse(quantizer, sample, lists, threads)
    return quantizer


@pytest.fixture(scope="module")
def sample(small_index):
    return small_index.clustered_vectors(6_400, 16, 3)


def nearness(quantizer, sample):
    """Return the mean product of a vector with its list's centroid: spherical k-means makes it large."""
    return float(quantizer.search(sample, 1)[0].mean())


def test_there_is_one_centroid_of_unit_length_for_each_list(sample):
    quantizer = filled(sample, LISTS)
    assert quantizer.ntotal == LISTS
    np.testing.assert_allclose(np.linalg.norm(quantizer.reconstruct_n(0, LISTS), axis=1), 1, atol=1e-5)


def test_vectors_are_as_near_to_their_centroids_as_with_one_level_of_k_means(sample):
    kmeans = faiss.Kmeans(sample.shape[1], LISTS, niter=10, spherical=True)
    kmeans.train(sample)
    one_level = faiss.IndexFlatIP(sample.shape[1])
    one_level.add(kmeans.centroids)
    assert nearness(filled(sample, LISTS), sample) > nearness(one_level, sample) - 0.01


def test_the_last_round_is_over_all_vectors_and_not_within_groups(sample):
    """Every centroid is about the mean of the vectors nearest to it, wherever the borders of groups are."""
    quantizer = filled(sample, LISTS)
    nearest = quantizer.search(sample, 1)[1][:, 0]
    centroids = quantizer.reconstruct_n(0, LISTS)
    means = np.stack([sample[nearest == number].mean(axis=0) for number in range(LISTS)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    assert np.mean((means * centroids).sum(axis=1)) > 0.99


def test_a_graph_finds_the_centroids_that_it_was_trained_with(sample):
    graph = filled(sample, LISTS, faiss.IndexHNSWFlat(16, 32, faiss.METRIC_INNER_PRODUCT))
    assert graph.ntotal == LISTS
    assert nearness(graph, sample) > nearness(filled(sample, LISTS), sample) - 0.01


@given(st.integers(1, 40), st.integers(0, 300), st.integers(0, 5), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_no_group_asks_for_more_lists_than_it_has_vectors(lists, copies, strays, seed):
    """With many copies of one picture and a few others, the share of some groups is no list, of others too many."""
    rng = np.random.default_rng(seed)
    others = rng.normal(size=(lists + strays, 8)).astype(np.float32)
    sample = np.concatenate([np.repeat(others[:1], copies, axis=0), others])
    faiss.normalize_L2(sample)
    centroids = filled(sample, lists).reconstruct_n(0, lists)
    assert np.isfinite(centroids).all()


def test_more_lists_than_vectors_are_refused(sample):
    with pytest.raises(RuntimeError, match="should be at least as large as number of clusters"):
        filled(sample[:20], 21)


def test_copies_of_one_vector_do_not_get_many_lists(sample):
    """Half of the vectors are the same one. In proportion to its copies it would get half of the lists."""
    copy = -sample[:1]
    centroids = filled(np.concatenate([sample, np.repeat(copy, len(sample), axis=0)]), LISTS).reconstruct_n(0, LISTS)
    assert (centroids @ copy[0] > 0.99).sum() <= 2


@pytest.mark.parametrize("different", [1, 3, LISTS - 1, LISTS])
def test_fewer_distinct_vectors_than_lists_still_give_every_list_a_centroid(sample, different):
    quantizer = filled(np.resize(sample[:different], (400, sample.shape[1])), LISTS)
    assert quantizer.ntotal == LISTS
    assert np.isfinite(quantizer.reconstruct_n(0, LISTS)).all()
