"""A head gets the features of each picture and of its views in one array on disk."""

from __future__ import annotations

import numpy as np

from tests.support.photo_catalogue import sha256
from tests.support.small_model import small_graph
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.projected import Sample
from vsearch_lib.embedding.view_features import stored_view_features
from vsearch_lib.embedding.views import ViewRecipe, Views
from vsearch_lib.encoder.network import untrained
from vsearch_lib.examples.boxes import PRIOR, Boxes
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe
from vsearch_lib.training.features import collect_vectors, collect_view_features

WIDTH = 256
NOTHING = Sample([], np.empty((0, WIDTH), "f4"), [])


def test_views_follow_each_picture_and_are_computed_once(catalogue, draw, tmp_path):
    encoder, recipe = untrained("small", dimension=None, seed=1), Recipe("small", "none", None, None, "none")
    models = catalogue.settings.models.uri
    backbone = register(models, encoder, version="m0", recipe=recipe, run_id="r", graph=small_graph(seed=1))
    catalogue.land({f"image-{seed}": draw(seed) for seed in range(4)})
    hashes = [sha256(draw(seed)) for seed in (2, 0, 9, 3)]  # the third is of no image

    def collected(views: int, boxes: Boxes = PRIOR) -> np.ndarray:
        lake = catalogue.lake
        job = StepContext(catalogue.settings, lake, lake.run_id, say=lambda _: None)
        features = collect_view_features(job, backbone, hashes, boxes, views, tmp_path / "features", sample=NOTHING)
        assert isinstance(features, np.memmap)
        assert features.dtype == np.float32
        return np.array(features)

    with_views = collected(2)
    assert with_views.shape == (4, 3, WIDTH)
    lake = catalogue.lake
    job = StepContext(catalogue.settings, lake, lake.run_id, say=lambda _: None)
    own = collect_vectors(job, backbone, hashes, tmp_path / "own")
    np.testing.assert_array_equal(with_views[:, 0], own)
    assert not with_views[2].any()
    known = with_views[[0, 1, 3]]
    np.testing.assert_allclose(np.linalg.norm(known, axis=2), 1, atol=1e-5)
    assert np.abs(known[:, 1:] - known[:, :1]).max(axis=2).min() > 1e-3

    stored = stored_view_features(job, "m0", lake.read("images"), Views(ViewRecipe.of(PRIOR), 2)).collect()
    by_picture = {row["sha256"]: np.array(row["vector"], "f4").reshape(2, WIDTH) for row in stored}
    np.testing.assert_array_equal(with_views[3, 1:], by_picture[hashes[3]])

    version = lake.version("view_features")
    np.testing.assert_array_equal(collected(2), with_views)
    np.testing.assert_array_equal(collected(0), with_views[:, :1])
    assert catalogue.lake.version("view_features") == version
    other = collected(2, Boxes(100, (0.3,) * 21, (0.0,) * 21))
    assert np.abs(other[0, 1:] - with_views[0, 1:]).max() > 1e-3
    assert {row["recipe"] for row in catalogue.lake.read("view_features").collect()} != {ViewRecipe.of(PRIOR).text}


def context_of(catalogue) -> StepContext:
    lake = catalogue.lake
    return StepContext(catalogue.settings, lake, lake.run_id, say=lambda _: None)


def test_vectors_of_any_registered_model_are_computed_once_for_public_pictures(catalogue, jpegs, tmp_path):
    catalogue.model("teacher", seed=2)
    catalogue.land(jpegs)
    catalogue.images({"image-00": sha256(jpegs["image-00"])}, visibility="private")
    model = load_model(catalogue.settings.models.uri, "teacher")
    hashes = [*map(sha256, jpegs.values()), "0" * 64]
    vectors = collect_vectors(context_of(catalogue), model.card, hashes, tmp_path / "vectors")
    embedded = model.embedder(batch_size=4).embed(list(jpegs.values()))
    np.testing.assert_allclose((vectors[1:-1] * embedded[1:]).sum(axis=1), 1, atol=1e-4)
    assert not vectors[[0, -1]].any()
    stored = catalogue.versions()
    again = collect_vectors(context_of(catalogue), model.card, hashes, tmp_path / "again")
    np.testing.assert_array_equal(again, vectors)
    assert catalogue.versions() == stored


def test_vectors_of_the_sample_are_not_read_again(catalogue, jpegs, tmp_path):
    hashes = list(map(sha256, jpegs.values()))
    features = np.random.default_rng(1).standard_normal((len(hashes), 128)).astype(np.float32)
    card = load_model(catalogue.settings.models.uri, "m1").card
    order = np.random.default_rng(2).permutation(len(hashes))
    sample = Sample([hashes[i] for i in order], features[order], [])
    vectors = collect_vectors(context_of(catalogue), card, hashes, tmp_path / "vectors", sample=sample)
    np.testing.assert_array_equal(vectors, features)
