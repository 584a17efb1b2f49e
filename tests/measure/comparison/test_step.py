"""A new model is taken up where it ranks judged queries no worse than the one in use, and not otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
import simplejpeg
import torch

from tests.support.small_model import SMALL
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.encoder.network import untrained
from vsearch_lib.errors import GateRefused
from vsearch_lib.models.promotion import current_model, hold_current
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.run.bodies import body_of

SCENES, VIEWS = 4, 4


def view(scene: int, number: int) -> bytes:
    """One of several pictures of a scene: the same blocks, a little darker each time."""
    grain = np.random.default_rng(scene).integers(60, 250, (5, 6, 3))
    pixels = np.kron(grain - 5 * number, np.ones((8, 8, 1), dtype=int)).astype(np.uint8)
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=95, colorspace="RGB"))


@pytest.fixture
def judged(catalogue):
    """A catalogue whose pictures of one scene people found alike, and model m1 in use."""
    names = [(scene, f"image-{scene}-{number}") for scene in range(SCENES) for number in range(VIEWS)]
    catalogue.land({name: view(scene, int(name[-1])) for scene, name in names})
    pairs = [(a, b, "ann", 5) for scene, a in names for other, b in names if scene == other and a != b]
    rows = [(*pair, date(2024, 5, 6)) for pair in pairs]
    columns = "query_image_id string, image_id string, annotator string, score int, landed_on date"
    catalogue.lake.upsert("judgements", catalogue.spark.createDataFrame(rows, columns))
    return catalogue


def chosen(catalogue, *overrides: str):
    return load_settings("demo", [f"var={catalogue.settings.var}", *SMALL, "examples.test_share=0.9", *overrides])


def compare(catalogue, *overrides: str) -> dict[tuple[str, str], float]:
    lake = catalogue.lake
    job = StepContext(settings=chosen(catalogue, *overrides), lake=lake, run_id=lake.run_id, say=lambda _: None)
    return {(figure.metric, figure.subject): figure.value for figure in body_of("compare_models")(job)}


def put(catalogue, version: str, *, ruined: bool = False) -> None:
    """Register a model as training does; a ruined one maps every picture onto one line."""
    settings = catalogue.settings
    recipe = recipe_of(settings)
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=1)
    if ruined:
        with torch.no_grad():
            encoder.projection.axes[1:] = 0
    hold_current(settings.models.uri, recipe, run_id="run", now=datetime(2024, 5, 6, tzinfo=UTC))
    register(settings.models.uri, encoder, version=version, recipe=recipe, run_id="run")


def test_a_model_that_ranks_as_well_is_promoted(judged):
    put(judged, "m2")
    assert current_model(judged.settings).version == "m1"
    figures = compare(judged)
    assert current_model(judged.settings).version == "m2"
    assert figures["compared_queries", "all"] > 8
    assert figures["ndcg_at_10", "model m1"] == figures["ndcg_at_10", "model m2"] > 0.9
    assert compare(judged) == {}


def test_a_model_that_ranks_worse_is_refused_and_its_figures_are_kept(judged):
    put(judged, "m2", ruined=True)
    with pytest.raises(GateRefused, match=r"m2: nDCG@10 0\.\d+, [01]\.\d+ with m1, on \d+ judged .*models promote m2"):
        compare(judged)
    assert current_model(judged.settings).version == "m1"
    rows = judged.lake.read("metrics").where("metric = 'ndcg_at_10'").collect()
    value = {row["subject"]: row["value"] for row in rows}
    assert value["model m2"] < value["model m1"] - 0.1


def test_how_much_worse_a_model_may_rank_is_a_setting(judged):
    put(judged, "m2", ruined=True)
    compare(judged, "gate.max_ndcg_loss=1")
    assert current_model(judged.settings).version == "m2"


def test_a_model_that_ranks_better_replaces_a_bad_one(judged):
    put(judged, "m2", ruined=True)
    compare(judged, "gate.max_ndcg_loss=1")
    put(judged, "m3")
    compare(judged)
    assert current_model(judged.settings).version == "m3"


def test_where_nobody_judged_a_query_no_model_is_promoted(catalogue, jpegs):
    catalogue.land(jpegs)
    put(catalogue, "m2")
    with pytest.raises(GateRefused, match=r"m2: no judged query .*m1 stays in use.*vsearch models promote m2"):
        compare(catalogue)
    assert current_model(catalogue.settings).version == "m1"


def test_the_first_model_has_nothing_to_be_compared_with(judged):
    assert compare(judged) == {}
