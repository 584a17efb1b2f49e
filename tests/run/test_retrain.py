"""Retraining the demo: what people said of training images makes a better model, and shuffled scores do not."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.demo import write_catalogue
from vsearch_lib.errors import GateRefused
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.models.promotion import current_model, pin_current_model
from vsearch_lib.run.bodies import body_of

pytestmark = pytest.mark.slow

INGEST = ("ingest_images", "ingest_interactions", "ingest_judgements")
TRAIN = ("build_training_examples", "train_encoder", "compare_models")
# So that a small catalogue has some fifty judged queries that no training sees.
SETTINGS = ("examples.test_share=0.4", "quality.max_refused_share=0.2")


@dataclass
class Demo:
    """A demo catalogue in a folder, and the steps that make and compare models of it."""

    spark: SparkSession
    var: Path
    landing: Path
    lines: list[str] = field(default_factory=list)

    def settings(self, *overrides: str):
        return load_settings("demo", [f"var={self.var}", f"landing.uri={self.landing}", *SETTINGS, *overrides])

    def run(self, run_id: str, *steps: str, overrides: tuple[str, ...], retrain: bool = False) -> list[Figure]:
        settings = self.settings(*overrides)
        lake = Lake(self.spark, settings.lake.uri, run_id)
        job = StepContext(settings, lake, run_id, say=self.lines.append)
        figures = []
        for step in steps:
            switches = {"strict" if step == "compare_models" else "retrain": True} if retrain else {}
            figures += body_of(step)(job, **switches)
        return figures

    def shuffle_scores(self, *, seed: int) -> None:
        """Permute the scores of the pairs of two training images; those of validation and test images stay right."""
        settings = self.settings()
        lake = Lake(self.spark, settings.lake.uri, "shuffle")
        images = images_with_split(lake, settings).where("split = 'train'").select("image_id")
        judgements = lake.read("judgements").join(images, "image_id", "left_semi")
        queries = images.withColumnRenamed("image_id", "query_image_id")
        rows = (
            judgements.join(queries, "query_image_id", "left_semi").select(lake.read("judgements").columns).toPandas()
        )
        rows = rows.sort_values(["query_image_id", "image_id", "annotator"])  # a seed is one permutation
        rows["score"] = np.random.default_rng(seed).permutation(rows["score"].to_numpy())
        assert lake.upsert("judgements", self.spark.createDataFrame(rows, lake.read("judgements").schema)) > 100

    @property
    def model(self) -> str:
        return current_model(self.settings("training.depth=none")).version


@pytest.fixture(scope="module")
def first_night(spark, tmp_path_factory) -> Demo:
    """The first model is a projection without training."""
    folder = tmp_path_factory.mktemp("retrain")
    write_catalogue(folder / "landing", images=600, seed=7)
    demo = Demo(spark, folder / "var", folder / "landing")
    demo.run("first", *INGEST, "train_encoder", overrides=("training.depth=none",))
    # A night would publish its index, and so keep it in use whatever is configured later.
    pin_current_model(demo.settings("training.depth=none"), run_id="first", now=datetime.now(UTC))
    return demo


@pytest.fixture
def demo(first_night, tmp_path) -> Demo:
    """A copy that a test may change."""
    shutil.copytree(first_night.var, tmp_path / "var")
    return Demo(first_night.spark, tmp_path / "var", first_night.landing)


def test_judgements_and_clicks_of_training_images_make_a_better_model_which_is_promoted(demo):
    first = demo.model
    figures = demo.run("week-1", *TRAIN, overrides=("training.depth=head",), retrain=True)
    (gain,) = (figure for figure in figures if figure.metric == "ndcg_at_10_gain")
    assert gain.slice == "judged"
    assert gain.n >= 30
    assert 0 < gain.low <= gain.value
    assert demo.model != first


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_scores_of_training_images_make_no_model_that_is_promoted(demo, seed):
    first = demo.model
    demo.shuffle_scores(seed=seed)
    heads = ("training.depth=head", "examples.mix.click=0", "examples.mix.cleaned_click=0")
    try:
        demo.run("week-1", *TRAIN, overrides=heads, retrain=True)
    except GateRefused as refused:
        demo.lines.append(str(refused))
    assert demo.model == first
    # Either validation kept no epoch, or the comparison refused the best one.
    assert any("is the same network as" in line or "worse by more than gate.max_" in line for line in demo.lines)
