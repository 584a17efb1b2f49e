"""The embedding service embeds with the model that the index names, on several threads, and with no other model."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.manifest import Manifest, ModelEntry
from vsearch_lib.encoder.network import untrained
from vsearch_lib.errors import ArtefactError
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe
from vsearch_lib.serving.embedding import LocalEmbedding, model_of


@pytest.fixture
def registered(small_index, tmp_path) -> tuple[Path, Manifest]:
    encoder = untrained("small", dimension=16, seed=3, side=32)
    register(str(tmp_path), encoder, version="m1", recipe=Recipe("small", "none", 16, 32, "full"), run_id="run-1")
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (tmp_path / "m1").iterdir()}
    file = StoredFile("template.faiss", "0" * 64, 0)
    manifest = small_index.manifest(file, file, [])
    return tmp_path / "m1", replace(manifest, model=ModelEntry("m1", str(tmp_path), files))


def test_the_model_of_an_index_is_loaded(registered):
    assert model_of(registered[1]).dimension == 16


@pytest.mark.parametrize("name", ["card.json", "graph.xml", "graph.bin"])
@pytest.mark.parametrize("damage", ["changed", "removed"])
def test_a_changed_or_missing_file_of_the_model_is_named(registered, name, damage):
    folder, manifest = registered
    if damage == "removed":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(ArtefactError, match=name):
        model_of(manifest)


def jpegs(count: int) -> list[bytes]:
    grain = np.random.default_rng(2).integers(0, 256, (count, 6, 8, 3), dtype=np.uint8)
    return [simplejpeg.encode_jpeg(np.kron(g, np.ones((8, 8, 1), dtype=np.uint8))) for g in grain]


def test_threads_that_embed_at_once_get_the_vectors_of_a_single_one(registered):
    pictures = jpegs(12)
    expected = model_of(registered[1]).embed(pictures)
    service = LocalEmbedding(registered[1].model, threads=3)
    assert service.model_version == "m1"
    with ThreadPoolExecutor(6) as threads:
        vectors = list(threads.map(lambda i: service.embed([pictures[i % 12]])[0], range(48)))
    np.testing.assert_allclose(vectors, np.tile(expected, (4, 1)), atol=1e-5)


def test_pictures_of_one_call_are_embedded_in_their_order(registered):
    pictures = jpegs(5)
    service = LocalEmbedding(registered[1].model, threads=1)
    np.testing.assert_allclose(service.embed(pictures)[::-1], service.embed(pictures[::-1]), atol=1e-6)


def test_a_model_is_read_when_it_is_needed_first(registered):
    folder, manifest = registered
    service = LocalEmbedding(manifest.model, threads=1)
    (folder / "graph.bin").unlink()
    with pytest.raises(ArtefactError, match=r"graph\.bin"):
        service.load()


def test_after_an_error_the_service_embeds_other_pictures(registered):
    service = LocalEmbedding(registered[1].model, threads=1)
    with pytest.raises(ValueError, match="picture 0"):
        service.embed([b"no picture"])
    assert service.embed(jpegs(1)).shape == (1, 16)
