"""Pictures, and a published index of them by a model in the registry; without Spark."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vsearch_lib.artefact.manifest import ModelEntry
from vsearch_lib.config import Settings
from vsearch_lib.encoder.network import untrained
from vsearch_lib.images.decode import normalise
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe
from vsearch_lib.publishing.publication import publish
from vsearch_lib.serving.query import limits_of
from vsearch_lib.storage import open_store

PICTURES = 12
HIDDEN = {3: "private", 5: "blocked"}


@pytest.fixture
def picture_files(tmp_path) -> list[Path]:
    rng = np.random.default_rng(6)
    (tmp_path / "pictures").mkdir()
    files = []
    for i in range(PICTURES):
        grain = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
        files.append(tmp_path / "pictures" / f"{i}.png")
        Image.fromarray(np.kron(grain, np.ones((16, 16, 1), dtype=np.uint8))).save(files[-1])
    return files


def registered_model(settings: Settings, version: str, *, seed: int) -> ModelEntry:
    """Register a small network with random weights, and return it as a manifest names it."""
    encoder = untrained("small", dimension=16, seed=seed, side=32)
    recipe = Recipe("small", "none", 16, 32, "full")
    register(settings.models.uri, encoder, version=version, recipe=recipe, run_id="run-1")
    store = open_store(settings.models.uri)
    files = {key.split("/")[1]: hashlib.sha256(store.read(key)).hexdigest() for key in store.list(version)}
    return ModelEntry(version, settings.models.uri, files)


def publish_pictures(
    settings: Settings, small_index, files: list[Path], model: ModelEntry, *, version: str, parent: str | None = None
) -> None:
    """Publish image-0, image-1, … of `files`; image-3 is private (of owner-3), and image-5 is blocked."""
    pictures = [normalise(file.read_bytes(), limits_of(settings)) for file in files]
    embedder = load_model(settings.models.uri, model.version).embedder(batch_size=4)
    content = small_index.Catalogue(
        [f"image-{i}" for i in range(len(files))],
        embedder.embed([picture.jpeg for picture in pictures]),
        ["private" if HIDDEN.get(i) == "private" else "public" for i in range(len(files))],
        ["blocked" if HIDDEN.get(i) == "blocked" else "ok" for i in range(len(files))],
        [picture.phash for picture in pictures],
    )
    built = small_index.build(settings.index.uri, content, version=version, factory="IVF1,Flat", shards=2)
    manifest = replace(built, model=model, parent=parent)
    publish(open_store(settings.index.uri), manifest, now=datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def served_pictures(settings, small_index, picture_files) -> Settings:
    """Settings of a served index of the pictures, version v1 by model m1."""
    publish_pictures(settings, small_index, picture_files, registered_model(settings, "m1", seed=3), version="v1")
    return settings
