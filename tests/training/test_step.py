"""Training uses the snapshot that was made last, and only while its images may be learnt from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from tests.support.judged_scenes import look_alike
from tests.support.small_model import SMALL
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.errors import VsearchError
from vsearch_lib.examples.learnable import images_to_learn_from
from vsearch_lib.examples.usable import newest_snapshot, require_learnable
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registry import read_card
from vsearch_lib.run.bodies import body_of
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.storage import open_store

REFUSED = r"snapshot \S+ holds 1 image that .* run build_training_examples again"
TEACHING = (*SMALL, "training.epochs=1", "training.batch_size=8")


def run(catalogue, step: str, *overrides: str) -> dict[str, str]:
    """Run a step and return what it made besides tables."""
    lake = catalogue.lake
    settings = load_settings("demo", [f"var={catalogue.settings.var}", *TEACHING, *overrides])
    job = StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=lambda _: None)
    body_of(step)(job, retrain=True)
    return job.made


def candidates_by_snapshot(catalogue) -> dict[str, int]:
    rows = catalogue.lake.read("training_examples").selectExpr("snapshot", "size(candidate_image_ids) AS n").collect()
    return {row["snapshot"]: row["n"] for row in rows}


def test_training_uses_the_newest_snapshot_and_equal_inputs_give_the_same_snapshot(catalogue, jpegs):
    catalogue.land(jpegs)
    for candidates in (2, 3, 2):
        run(catalogue, "build_training_examples", f"examples.candidates={candidates}")
        assert candidates_by_snapshot(catalogue)[newest_snapshot(catalogue.lake)] == candidates
    assert sorted(candidates_by_snapshot(catalogue).values()) == [2, 3]
    card = read_card(open_store(catalogue.settings.models.uri), run(catalogue, "train_encoder")["model"])
    assert card.training_snapshot == newest_snapshot(catalogue.lake)


def test_a_snapshot_with_an_image_that_may_not_be_learnt_from_is_refused(catalogue, jpegs):
    catalogue.land(jpegs)
    run(catalogue, "build_training_examples")
    examples, images = catalogue.lake.read("training_examples"), catalogue.lake.read("images")
    query = images.where(images.image_id == examples.first()["query_image_id"]).first()
    other = images.where(images.image_id != query["image_id"]).first()
    before, replaced = {query["image_id"]: query["sha256"]}, {query["image_id"]: other["sha256"]}
    gone = catalogue.spark.createDataFrame([(query["image_id"],)], "image_id string")
    settings = load_settings("demo", [f"var={catalogue.settings.var}", *TEACHING])
    for change in (
        lambda: catalogue.images(before, moderation="blocked"),
        lambda: catalogue.images(before, deleted_at=datetime(2024, 5, 7, tzinfo=UTC)),
        lambda: catalogue.images(replaced),
        lambda: catalogue.lake.delete_keys("images", gone),
    ):
        change()
        with pytest.raises(VsearchError, match=REFUSED):
            require_learnable("v0", examples, images_to_learn_from(catalogue.lake, settings))
        catalogue.images(before)
    catalogue.images(before, visibility="private")
    with pytest.raises(VsearchError, match=REFUSED):
        run(catalogue, "train_encoder")
    catalogue.images(before)
    assert run(catalogue, "train_encoder")["model"]


def test_an_old_snapshot_without_hashes_of_pixels_is_refused(catalogue, jpegs):
    catalogue.land(jpegs)
    run(catalogue, "build_training_examples")
    old = catalogue.lake.read("training_examples").drop("sha256s", "made_at").withColumn("snapshot", F.lit("old"))
    catalogue.lake.replace("training_examples", checkpointed(old), "snapshot != ''")
    with pytest.raises(VsearchError, match=r"snapshot old holds \d+ images that .* run build_training_examples again"):
        run(catalogue, "train_encoder")


def test_a_first_night_trains_the_head_if_annotators_found_pictures_alike(judged):
    settings = load_settings("demo", [f"var={judged.settings.var}", *judged.weights, "examples.validation_share=0.3"])
    lake, said, figures = judged.lake, [], {}
    context = StepContext(settings, lake, lake.run_id, say=said.append)
    for step in ("build_training_examples", "train_encoder", "embed_images"):
        for figure in body_of(step)(context):
            figures[figure.metric, figure.slice] = figure.value
    card = read_card(open_store(settings.models.uri), context.made["model"])
    assert card.recipe.training == "head"
    assert any("training.depth is head: there are" in line for line in said)
    assert figures["validation_recall", "after"] > figures["validation_recall", "before"]
    assert figures["training_loss", "last"] < figures["training_loss", "first"]
    assert figures["pictures_computed", "all"] == 0  # the sample's features were stored, the head projects them
    assert card.training["curve"]["recall_at_start"] == figures["validation_recall", "before"]
    embedder = load_model(settings.models.uri, card.version).embedder(batch_size=1)
    stored, jpeg = judged.vectors(card.version), look_alike(0, 0)
    assert stored["image-0-0"] @ embedder.embed([jpeg])[0] > 0.999
    assert not list(Path(settings.cache, "training").iterdir())
    # The next night finds a model of the configured recipe.
    assert body_of("train_encoder")(StepContext(settings, lake, "later", say=said.append)) == []


def test_without_judgements_and_clicks_a_night_trains_nothing_and_says_why(spark, settings, tmp_path, jpegs, judged):
    lake = judged.lake
    lake.replace("judgements", lake.read("judgements").limit(0), "score >= 0")
    settings = load_settings("demo", [f"var={judged.settings.var}", *judged.weights])
    context = StepContext(settings, lake, lake.run_id, say=(said := []).append)
    body_of("build_training_examples")(context)
    body_of("train_encoder")(context)
    card = read_card(open_store(settings.models.uri), context.made["model"])
    assert card.recipe.training == "none"
    assert any("0 judged or clicked pairs" in line for line in said)
