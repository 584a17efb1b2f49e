"""Training uses the snapshot that was made last, and only while its images may be learnt from."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyspark.sql import functions as F

from tests.support.small_model import SMALL
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.errors import VsearchError
from vsearch_lib.examples.learnable import images_to_learn_from
from vsearch_lib.examples.usable import newest_snapshot, require_learnable
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
