"""The vectors of a training's pictures are those of the model that is asked for, each computed once."""

from __future__ import annotations

import numpy as np

from tests.support.photo_catalogue import sha256
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.projected import Sample
from vsearch_lib.models.load import load_model
from vsearch_lib.training.features import collect_vectors


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
