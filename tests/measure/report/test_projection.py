"""The plane of a map is that of the principal components."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA

from vsearch_lib.errors import UsageError
from vsearch_lib.measure.report.projection import picture_map, principal_plane
from vsearch_lib.report.pictures import Picture


def test_the_plane_is_that_of_scikit_learn_up_to_signs():
    vectors = np.random.default_rng(3).normal(size=(40, 8)).astype(np.float32) * np.arange(1, 9)
    expected = PCA(2, svd_solver="full").fit_transform(vectors)
    np.testing.assert_allclose(np.abs(principal_plane(vectors)), np.abs(expected), rtol=1e-3, atol=1e-3)


def test_vectors_along_one_direction_lie_on_a_line_in_their_order():
    vectors = np.outer([3.0, 1.0, 2.0], [0.6, 0.8]).astype(np.float32)
    np.testing.assert_allclose(principal_plane(vectors), [[1, 0], [-1, 0], [0, 0]], atol=1e-6)


def test_if_umap_is_not_installed_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    pictures = [Picture(str(n), None, "") for n in range(4)]
    with pytest.raises(UsageError, match="install umap-learn, or set it to pca"):
        picture_map(pictures, np.eye(4, dtype=np.float32), "umap", seed=1)


def test_a_chosen_umap_gets_the_seed_and_its_plane_is_drawn(monkeypatch):
    class Umap:
        def __init__(self, **asked):
            Umap.asked = asked

        def fit_transform(self, vectors):
            return vectors[:, :2]

    monkeypatch.setitem(sys.modules, "umap", type(sys)("umap"))
    sys.modules["umap"].UMAP = Umap
    pictures = [Picture(str(n), None, "") for n in range(4)]
    drawn = picture_map(pictures, np.eye(4, dtype=np.float32), "umap", seed=5)
    assert Umap.asked == {"n_components": 2, "metric": "cosine", "random_state": 5, "n_neighbors": 3}
    assert [(spot.x, spot.y) for spot in drawn.spots] == [(999, 649), (0, 0), (0, 649), (0, 649)]
