"""A training of a projection that takes a second: features of scenes, in which PCA keeps what does not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.small_snapshot import grey, write_snapshot
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.projected import Sample
from vsearch_lib.encoder.network import untrained
from vsearch_lib.encoder.projection import fit_pca
from vsearch_lib.models.registry import Card, Recipe
from vsearch_lib.models.weights import serialise
from vsearch_lib.training.local_snapshot import open_snapshot
from vsearch_lib.training.material import Material
from vsearch_lib.training.prepared import Prepared
from vsearch_lib.training.start import Start
from vsearch_lib.training.validation import Validation

SCENES, PICTURES, QUERIES = 8, 64, 24


def small_training(context: StepContext, folder: Path) -> Prepared:
    """Return a training of a head; the snapshot below `folder` has candidates of the query's scene and of another."""
    encoder = untrained("small", dimension=8, seed=3, side=32)
    width = encoder.projection.axes.shape[1]
    features, catalogue = (_features(seed, width) for seed in (1, 2))
    projection, _ = fit_pca(features, dimension=8, seed=1)
    encoder.projection.set_to(projection)
    examples = [([i, (i + SCENES) % PICTURES, (i + 1) % PICTURES], 0, 1.0) for i in range(PICTURES)]
    write_snapshot(folder, [grey(3 * i) for i in range(PICTURES)], range(PICTURES), [examples])
    (folder / "copy").mkdir()
    scenes = np.arange(PICTURES) % SCENES
    relevant = scenes[:, None] == scenes[None, :]
    np.fill_diagonal(relevant, val=False)
    return Prepared(
        context=context,
        start=Start(encoder, None, Sample([], np.empty((0, width), np.float32), [])),
        backbone=Card(
            version="b1",
            recipe=Recipe("small", "0" * 64, None, None, "none"),
            preprocessing=encoder.preprocessing,
            dimension=width,
            files={"model.safetensors": "0" * 64},
            training_snapshot=None,
            run_id="run-0",
        ),
        snapshot=open_snapshot(str(folder), "s1", folder / "copy"),
        name="s1",
        depth="head",
        validation=Validation([f"{i:064x}" for i in range(PICTURES)], relevant[:QUERIES]),
        is_judged=True,
        material=Material(serialise(encoder), features[:, None], None, catalogue, [], relevant[:QUERIES]),
    )


def _features(seed: int, width: int) -> np.ndarray:
    """Features of unit length; picture i is of scene i % SCENES."""
    centres = 0.5 * np.random.default_rng(0).standard_normal((SCENES, SCENES))
    rng = np.random.default_rng(seed)
    features = np.zeros((PICTURES, width))
    features[:, :SCENES] = centres[np.arange(PICTURES) % SCENES] + 0.1 * rng.standard_normal((PICTURES, SCENES))
    features[:, SCENES : 3 * SCENES] = rng.standard_normal((PICTURES, 2 * SCENES))
    return (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)
