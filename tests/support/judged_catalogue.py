"""A catalogue in which annotators found the pictures of each scene alike."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg
from safetensors.torch import save_file

from tests.support.photo_catalogue import DAY, Catalogue, sha256
from tests.support.small_model import SMALL
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.encoder.network import untrained
from vsearch_lib.run.bodies import body_of


def look_alike(scene: int, number: int) -> bytes:
    """One of several pictures with the same colours at other places."""
    colours = np.random.default_rng(scene).integers(0, 256, (4, 3), dtype=np.uint8)
    places = np.random.default_rng(1000 * scene + number).integers(0, 4, (5, 6))
    pixels = np.ascontiguousarray(np.kron(colours[places], np.ones((8, 8, 1), dtype=np.uint8)))
    return bytes(simplejpeg.encode_jpeg(pixels, quality=95, colorspace="RGB"))


@pytest.fixture
def judged(spark, settings, tmp_path):
    """Such a catalogue, and weights of a backbone."""
    catalogue = Catalogue(spark, settings)
    names = [(scene, f"image-{scene}-{number}") for scene in range(6) for number in range(20)]
    catalogue.land({name: look_alike(scene, int(name.split("-")[2])) for scene, name in names})
    pairs = [(a, b, "ann", 5, DAY) for scene, a in names for other, b in names if scene == other and a != b]
    columns = "query_image_id string, image_id string, annotator string, score int, landed_on date"
    catalogue.lake.upsert("judgements", spark.createDataFrame(pairs, columns))
    file = tmp_path / "small.safetensors"
    state = untrained("small", dimension=None, seed=5).backbone.state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, file)
    catalogue.weights = ("model.backbone=small", f"model.weights={file}", "model.dimension=16")
    return catalogue


@pytest.fixture(scope="session")
def published_judged(spark, tmp_path_factory):
    """Such a catalogue with a published index, and `context`, which makes that of a step; tests only read it."""
    var = tmp_path_factory.mktemp("published")
    small = (*SMALL, "model.dimension=16", "examples.test_share=0.5", "gate.min_recall_at_10=0", "index.shards=1")
    chosen = [f"var={var}", *small, "evaluation.min_slice_queries=5", "evaluation.page_queries=2"]

    def context(*overrides: str) -> StepContext:
        settings = load_settings("demo", [*chosen, *overrides])
        lake = catalogue.lake
        return StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=lambda _: None)

    catalogue = Catalogue(spark, load_settings("demo", chosen))
    names = {f"image-{scene}-{number}": (scene, number) for scene in range(4) for number in range(10)}
    for tag in range(2):
        chosen_names = {name: look_alike(*place) for name, place in names.items() if place[0] % 2 == tag}
        catalogue.pixels(list(chosen_names.values()))
        catalogue.images({name: sha256(jpeg) for name, jpeg in chosen_names.items()}, tags=[f"tag-{tag}"])
    pairs = [
        (a, b, "ann", 5 if names[a][0] == names[b][0] else 1, DAY)
        for a in names
        for b in names
        if a != b and (names[a][0] == names[b][0] or names[b][1] == 0)
    ]
    columns = "query_image_id string, image_id string, annotator string, score int, landed_on date"
    catalogue.lake.upsert("judgements", spark.createDataFrame(pairs, columns))
    catalogue.model()
    job = context()  # of one run, because a run publishes what it built
    for step in ("embed_images", "build_index", "publish_index"):
        body_of(step)(job)
    return context
