"""A catalogue of scenes, in which annotators found the pictures of each scene alike."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg
from safetensors.torch import save_file

from tests.support.photo_catalogue import DAY, Catalogue
from vsearch_lib.encoder.network import untrained


def look_alike(scene: int, number: int) -> bytes:
    """One of several pictures with the same colours at other places."""
    colours = np.random.default_rng(scene).integers(0, 256, (4, 3), dtype=np.uint8)
    places = np.random.default_rng(1000 * scene + number).integers(0, 4, (5, 6))
    pixels = np.ascontiguousarray(np.kron(colours[places], np.ones((8, 8, 1), dtype=np.uint8)))
    return bytes(simplejpeg.encode_jpeg(pixels, quality=95, colorspace="RGB"))


@pytest.fixture
def judged(spark, settings, tmp_path):
    """A catalogue in which annotators found the pictures of each scene alike, and weights of a backbone."""
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
