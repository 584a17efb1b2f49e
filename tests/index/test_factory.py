"""The factory that suits a catalogue, worked by hand: 4·√N lists, and codebooks as large as the vectors can train."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.index.factory import choose_factory
from vsearch_lib.index.template import train_template


@pytest.mark.parametrize(
    ("vectors", "factory"),
    [
        (1, "IVF1,Flat"),
        (399, "IVF1,Flat"),
        (400, "IVF10,PQ32x4np"),  # 4·√400 = 80 lists would have 5 vectors each: 400 / 39 = 10
        (2_000, "IVF51,PQ32x4np"),  # 2,000 / 39 = 51.3
        (2_495, "IVF63,PQ32x4np"),
        (2_496, "IVF64,PQ32x6np"),  # 64 centroids at 39 vectors each
        (9_999, "IVF256,PQ32x6np"),  # 9,999 / 39 = 256.4 is less than 4·√9,999 = 400
        (10_000, "IVF256,PQ32np"),
        (40_000, "IVF800,PQ32np"),  # 4·√40,000
        (65_536, "IVF1024,PQ32np"),
        (250_000, "IVF2000,PQ32np"),
        (999_999, "IVF4000,PQ32np"),
        (1_000_000, "IVF16384_HNSW32,PQ32np"),
        (9_999_999, "IVF16384_HNSW32,PQ32np"),
        (10_000_000, "IVF65536_HNSW32,PQ32np"),
        (299_999_999, "IVF65536_HNSW32,PQ32np"),
        (300_000_000, "IVF131072_HNSW32,PQ32np"),
        (10**9, "IVF131072_HNSW32,PQ32np"),
    ],
)
def test_the_number_of_vectors_decides_the_factory(vectors, factory):
    assert choose_factory(vectors, 128) == factory


@pytest.mark.parametrize(
    ("dimension", "subvectors"), [(128, 32), (1280, 32), (32, 32), (16, 16), (24, 8), (100, 4), (6, 2), (7, 1)]
)
def test_subvectors_divide_the_dimension(dimension, subvectors):
    assert choose_factory(50_000, dimension) == f"IVF894,PQ{subvectors}np"


@settings(deadline=None, max_examples=50)
@given(vectors=st.integers(1, 10**9), dimension=st.integers(1, 4096))
def test_faiss_accepts_every_chosen_factory(vectors, dimension):
    index = faiss.index_factory(dimension, choose_factory(vectors, dimension), faiss.METRIC_INNER_PRODUCT)
    assert index.d == dimension
    assert faiss.extract_index_ivf(index).nlist <= max(1, vectors)


@pytest.mark.parametrize("vectors", [1, 17, 400, 900])
def test_a_factory_can_be_trained_on_the_vectors_it_was_chosen_for(vectors):
    sample = np.random.default_rng(1).normal(size=(vectors, 16)).astype(np.float32)
    content = train_template(sample, choose_factory(vectors, 16))
    assert faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8)).is_trained
