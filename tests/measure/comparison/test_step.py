"""A new model is promoted if it ranks judged queries no worse than the model in use, and not otherwise."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import torch
from pyspark.sql import functions as F

from tests.support.small_model import SMALL, small_graph
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.encoder.network import untrained
from vsearch_lib.errors import GateRefused
from vsearch_lib.models.promotion import current_model, pin_current_model, promote
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import cards, read_card, recipe_of
from vsearch_lib.run.bodies import body_of
from vsearch_lib.storage import open_store

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
    judge(catalogue, [(a, b, "ann", 5) for scene, a in names for other, b in names if scene == other and a != b])
    return catalogue


def judge(catalogue, pairs: list[tuple[str, str, str, int]]) -> None:
    rows = [(*pair, date(2024, 5, 6)) for pair in pairs]
    columns = "query_image_id string, image_id string, annotator string, score int, landed_on date"
    catalogue.lake.upsert("judgements", catalogue.spark.createDataFrame(rows, columns))


def chosen(catalogue, *overrides: str):
    return load_settings(
        "demo",
        [f"var={catalogue.settings.var}", *SMALL, "examples.test_share=0.9", "gate.min_compared_queries=5", *overrides],
    )


def compare(catalogue, *overrides: str, strict: bool = True, run_id: str = "run") -> dict[tuple[str, str], float]:
    """Compare as a retraining does, or if not `strict` as a night; keep what is said in `catalogue.said`."""
    catalogue.said = []
    job = StepContext(chosen(catalogue, *overrides), catalogue.lake, run_id, say=catalogue.said.append)
    return {(figure.metric, figure.subject): figure.value for figure in body_of("compare_models")(job, strict=strict)}


def put(catalogue, version: str, *overrides: str, ruined: bool = False) -> None:
    """Register a model as the retraining "run" does; a ruined one maps every picture onto one line."""
    settings = chosen(catalogue, *overrides)
    recipe = recipe_of(settings)
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=1, side=recipe.input_size)
    with torch.no_grad():
        if ruined:
            encoder.projection.axes[1:] = 0
        # Each model has weights of its own; the sign of an axis changes no cosine.
        encoder.projection.axes[len(list(cards(settings.models.uri)))] *= -1
    pin_current_model(catalogue.settings, run_id="run", now=datetime(2024, 5, 6, tzinfo=UTC))
    graph = small_graph(seed=1, side=recipe.input_size)
    register(settings.models.uri, encoder, version=version, recipe=recipe, run_id="run", graph=graph)


def test_a_model_that_ranks_as_well_is_promoted(judged):
    put(judged, "m2")
    assert current_model(judged.settings).version == "m1"
    figures = compare(judged)
    assert current_model(judged.settings).version == "m2"
    assert figures["compared_queries", "all"] > 8
    assert figures["ndcg_at_10", "model m1"] == figures["ndcg_at_10", "model m2"] > 0.9
    gain = next(value for (metric, _), value in figures.items() if metric == "ndcg_at_10_gain")
    assert gain == 0
    assert compare(judged) == {}


def test_the_network_in_use_under_another_version_stays_a_candidate_and_fails_no_retraining(judged):
    pin_current_model(judged.settings, run_id="run", now=datetime(2024, 5, 6, tzinfo=UTC))
    judged.model("m2")
    assert compare(judged) == {}
    assert judged.said == ["compare_models: m2 is the same network as m1, which stays in use"]
    assert current_model(judged.settings).version == "m1"


def test_a_model_that_few_judged_queries_speak_for_stays_a_candidate(judged):
    put(judged, "m2")
    few = r"\d+ judged and 0 clicked queries .* too few, .*: gate\.min_compared_queries = 100; score pairs \(vsearch"
    with pytest.raises(GateRefused, match=few):
        compare(judged, "gate.min_compared_queries=100")
    assert current_model(judged.settings).version == "m1"


def test_queries_without_an_image_that_people_found_alike_do_not_count(judged):
    put(judged, "m2", ruined=True)
    rows = judged.lake.read("judgements").withColumn("score", F.lit(0))
    judged.lake.upsert("judgements", rows)
    with pytest.raises(GateRefused, match="m2: 0 judged and 0 clicked queries"):
        compare(judged)


def test_a_model_that_ranks_worse_is_refused_and_its_figures_are_kept(judged):
    put(judged, "m2", ruined=True)
    with pytest.raises(GateRefused, match=r"m2: nDCG@10 0\.\d+, [01]\.\d+ with m1, on \d+ judged .*models promote m2"):
        compare(judged)
    assert current_model(judged.settings).version == "m1"
    rows = judged.lake.read("metrics").where("metric = 'ndcg_at_10'").collect()
    value = {row["subject"]: row["value"] for row in rows}
    assert value["model m2"] < value["model m1"] - 0.1


def test_a_retraining_does_not_fail_because_of_the_candidate_of_an_earlier_one(judged):
    put(judged, "m2", ruined=True)
    assert compare(judged, run_id="a week later")["ndcg_at_10", "model m2"] < 0.9
    (line,) = judged.said
    assert line.startswith("compare_models: m2: nDCG@10")
    assert current_model(judged.settings).version == "m1"


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


def test_if_nobody_judged_a_query_no_model_is_promoted(catalogue, jpegs):
    catalogue.land(jpegs)
    put(catalogue, "m2")
    with pytest.raises(GateRefused, match=r"m2: 0 judged .*m1 stays in use.*vsearch models promote m2"):
        compare(catalogue)
    assert current_model(catalogue.settings).version == "m1"


def test_the_first_model_has_nothing_to_be_compared_with(judged):
    assert compare(judged) == {}


# Another length of the vectors and another size of the pictures: another recipe than that of m1.
OTHER_RECIPE = ("model.dimension=32", "model.input_size=48")


@pytest.mark.parametrize("strict", [True, False], ids=["retrain", "nightly"])
def test_a_model_of_another_recipe_that_ranks_as_well_is_promoted(judged, strict):
    put(judged, "m2", *OTHER_RECIPE)
    assert current_model(chosen(judged, *OTHER_RECIPE)).version == "m1"
    figures = compare(judged, *OTHER_RECIPE, "gate.max_ndcg_loss=0.1", strict=strict)
    assert figures["ndcg_at_10", "model m1"] > 0.9
    assert figures["ndcg_at_10", "model m2"] > 0.8
    assert current_model(chosen(judged, *OTHER_RECIPE)).version == "m2"


def test_a_model_of_another_recipe_that_ranks_worse_is_refused_by_a_retraining(judged):
    put(judged, "m2", *OTHER_RECIPE, ruined=True)
    with pytest.raises(GateRefused, match=r"m2: nDCG@10 .* with m1, .*worse by more than .*models promote m2"):
        compare(judged, *OTHER_RECIPE)
    assert current_model(chosen(judged, *OTHER_RECIPE)).version == "m1"


def test_a_night_compares_a_worse_model_again_only_after_new_judgements(judged):
    put(judged, "m2", *OTHER_RECIPE, ruined=True)
    assert compare(judged, *OTHER_RECIPE, strict=False)["ndcg_at_10", "model m2"] < 0.9
    (line,) = judged.said
    assert "compare_models: m2: nDCG@10" in line
    assert "m1 stays in use; to promote the new one anyway: vsearch models promote m2" in line
    assert current_model(chosen(judged, *OTHER_RECIPE)).version == "m1"
    assert compare(judged, *OTHER_RECIPE, strict=False) == {}
    assert judged.said == [line]
    judge(judged, [("image-0-0", "image-1-0", "ann", 0)])
    assert compare(judged, *OTHER_RECIPE, strict=False)


@pytest.mark.parametrize("overrides", [(), OTHER_RECIPE], ids=["same recipe", "another recipe"])
def test_if_nobody_judged_a_query_a_night_keeps_the_model_in_use(catalogue, jpegs, overrides):
    catalogue.land(jpegs)
    put(catalogue, "m2", *overrides)
    assert compare(catalogue, *overrides, strict=False) == {}
    (line,) = catalogue.said
    assert "m2: 0 judged and 0 clicked queries of the test split are too few" in line
    assert "m1 stays in use" in line
    assert current_model(chosen(catalogue, *overrides)).version == "m1"


def test_if_nobody_judged_a_query_a_retraining_with_another_recipe_is_refused(catalogue, jpegs):
    catalogue.land(jpegs)
    put(catalogue, "m2", *OTHER_RECIPE)
    with pytest.raises(GateRefused, match=r"m2: 0 judged .*m1 stays in use.*vsearch models promote m2"):
        compare(catalogue, *OTHER_RECIPE)


@pytest.mark.parametrize("strict", [True, False], ids=["retrain", "nightly"])
def test_a_model_that_a_person_promoted_is_not_replaced_by_an_older_one(judged, strict):
    shutil.rmtree(Path(judged.settings.models.uri) / "m1")
    for version in ("20240505T000000Z-first", "20240507T000000Z-new"):
        put(judged, version)
    compare(judged)
    assert current_model(judged.settings).version == "20240507T000000Z-new"
    first = read_card(open_store(judged.settings.models.uri), "20240505T000000Z-first")
    promote(judged.settings.models.uri, first, run_id="by hand", now=datetime(2024, 5, 8, tzinfo=UTC))
    assert compare(judged, strict=strict) == {}
    assert f"20240507T000000Z-new was there when {first.version} was promoted; {first.version} stays" in judged.said[0]
    assert current_model(judged.settings) == first
