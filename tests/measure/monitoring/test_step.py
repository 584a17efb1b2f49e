"""The job that monitors: what it compares, what it says of missing data, and whom it alerts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as F

from tests.support.small_model import SMALL
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.errors import GateRefused
from vsearch_lib.figures import Figure
from vsearch_lib.lake.metrics import record
from vsearch_lib.measure.monitoring.check import Verdict
from vsearch_lib.measure.monitoring.reconciliation import SAME_IMAGES, WAITING
from vsearch_lib.run.bodies import body_of
from vsearch_lib.spark.checkpoint import checkpointed

TODAY = datetime.now(UTC).date()
NOON = datetime(TODAY.year, TODAY.month, TODAY.day, 12)


class Monitored:
    """Runs steps on a catalogue."""

    def __init__(self, catalogue) -> None:
        self.catalogue = catalogue
        self.said: list[str] = []
        self.alerts: list[str] = []
        self.figures: list[Figure] = []

    def run(self, step: str, *overrides: str) -> list[Figure]:
        lake = self.catalogue.lake
        settings = load_settings(
            "demo", [f"var={self.catalogue.settings.var}", *SMALL, "index.shards=1", "monitoring.sample=50", *overrides]
        )
        self.said.clear()
        context = StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=self.said.append)
        self.alerts = context.alerts
        self.figures = body_of(step)(context)
        record(lake, self.figures)
        return self.figures

    def publish(self) -> None:
        """Build and publish with one run id."""
        runs = self.catalogue.runs
        self.run("build_index")
        self.catalogue.runs = runs
        self.run("publish_index", "gate.min_recall_at_10=0")

    def verdicts(self, *overrides: str) -> dict[str, Verdict]:
        figures = self.run("monitor", *overrides)
        return {figure.subject: Verdict(int(figure.value)) for figure in figures if figure.metric == "verdict"}

    def value(self, metric: str, part: str = "all") -> float:
        return next(figure.value for figure in self.figures if (figure.metric, figure.slice) == (metric, part))


def move_days(catalogue, days: dict[str, date]) -> None:
    """Set the days on which images were uploaded, each by an owner of its own."""
    new = catalogue.spark.createDataFrame(list(days.items()), "image_id string, day date")
    images = catalogue.lake.read("images").join(new, "image_id")
    images = checkpointed(images.withColumns({"upload_date": F.col("day"), "owner_id": F.col("image_id")}))
    catalogue.lake.delete("images", F.col("image_id").isin(list(days)))
    catalogue.lake.upsert("images", images.drop("day"))


@pytest.fixture
def monitored(catalogue, draw) -> Monitored:
    """Forty images of the last weeks, ten of them new, with vectors and a published index."""
    catalogue.land({f"image-{seed:02d}": draw(seed) for seed in range(40)})
    move_days(
        catalogue,
        {f"image-{n:02d}": TODAY - timedelta(days=n % 5 if n < 10 else 8 + n % 20) for n in range(40)},
    )
    catalogue.embed()
    made = Monitored(catalogue)
    made.publish()
    return made


def test_lake_and_index_hold_the_same_images_and_later_changes_wait_and_are_listed_by_id(monitored):
    verdicts = monitored.verdicts()
    assert {verdicts[name] for name in (SAME_IMAGES, WAITING, "vectors of table and index", "model in use")} == {0}
    assert verdicts["imbalance of shards"] == verdicts["newest day"] == Verdict.OK
    assert verdicts["drift of uploads: vectors"] == verdicts["drift of uploads: brightness"] == Verdict.OK
    assert verdicts["drift of uploads: nearest neighbour"] == Verdict.OK
    # Nothing was searched for, and no run has ingested: that is said, and nobody is alerted.
    assert verdicts["drift of queries: vectors"] == verdicts["refused images"] == Verdict.NO_DATA
    assert verdicts["recall of live queries"] == Verdict.NO_DATA
    assert monitored.alerts == []
    assert "0 alerts; no data for drift of queries: vectors" in monitored.said[-1]
    page = Path(monitored.said[-1].rsplit("; ", 1)[1]).read_text()
    assert "drift of uploads: brightness" in page

    # The lake changes after the build.
    lake = monitored.catalogue.lake
    lake.delete("embeddings", F.col("image_id") == "image-01")
    lake.delete("images", F.col("image_id") == "image-02")
    verdicts = monitored.verdicts()
    assert verdicts[SAME_IMAGES] == Verdict.OK
    assert verdicts[WAITING] == Verdict.OK
    assert monitored.value("index_changes_waiting") == 4
    verdicts = monitored.verdicts("monitoring.max_index_lag_hours=0.000001")
    assert verdicts[WAITING] == Verdict.ALERT
    (file, *_) = Path(monitored.catalogue.settings.reports.uri).glob("differences-*.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted((line["image_id"], line["kind"]) for line in lines) == [
        ("image-01", "image without vector"),
        ("image-01", "row without vector"),
        ("image-02", "row without image"),
        ("image-02", "vector without image"),
    ]
    assert all(line["waits"] for line in lines)


def test_another_encoder_another_model_and_missing_data_are_alerts(monitored):
    catalogue = monitored.catalogue
    monitored.verdicts()
    rows = catalogue.lake.read("embeddings").toPandas()
    turned = [np.roll(np.asarray(vector), 1).tolist() for vector in rows["vector"]]
    schema = "model_version string, image_id string, sha256 string, vector array<float>"
    other = list(zip(rows["model_version"], rows["image_id"], rows["sha256"], turned, strict=True))
    catalogue.lake.upsert("embeddings", catalogue.spark.createDataFrame(other, schema))
    verdicts = monitored.verdicts()
    assert verdicts["vectors of table and index"] == Verdict.ALERT
    assert verdicts["model in use"] == Verdict.OK
    catalogue.model("m2", seed=2)
    promoted = Path(catalogue.settings.models.uri) / "in_use.json"
    promoted.write_text(json.dumps({"version": "m2", "run_id": "r", "promoted_at": "2026-01-01T00:00:00+00:00"}))
    assert monitored.verdicts()["model in use"] == Verdict.ALERT
    assert any("model in use: alert: m2; it was m1" in alert for alert in monitored.alerts)

    # Nobody has uploaded anything for a week, but people still search.
    move_days(catalogue, {f"image-{n:02d}": TODAY - timedelta(days=8 + n % 20) for n in range(40)})
    columns = "event_id string, user_id string, query_image_id string, displayed_image_id string, position int, "
    event = [("e", "u", "image-01", "image-02", 1, "impression", NOON, TODAY, "r")]
    columns += "type string, occurred_at timestamp, event_date date, request_id string"
    catalogue.lake.upsert("interactions", catalogue.spark.createDataFrame(event, columns))
    verdicts = monitored.verdicts()
    assert verdicts["newest day"] == Verdict.OK
    assert verdicts["drift of uploads: tags"] == verdicts["drift of uploads: brightness"] == Verdict.MISSING
    assert verdicts["drift of queries: vectors"] == Verdict.NO_DATA
    assert any(alert.startswith("drift of uploads: tags: data is missing: too few") for alert in monitored.alerts)

    # Now they do not search either.
    catalogue.lake.delete("interactions", F.lit(True))
    with pytest.raises(GateRefused, match="newest day: data is missing: nothing has landed"):
        monitored.verdicts("monitoring.fail_on_alert=true")
    stored = catalogue.lake.read("metrics").where(f"metric = 'verdict' AND run = 'run-{catalogue.runs - 1}'")
    assert {row["value"] for row in stored.where("subject = 'newest day'").collect()} == {Verdict.MISSING}


def test_an_empty_lake_has_no_data_and_no_alert(catalogue):
    monitored = Monitored(catalogue)
    verdicts = monitored.verdicts()
    assert set(verdicts.values()) - {Verdict.NO_DATA} == {Verdict.OK}
    assert [name for name, verdict in verdicts.items() if verdict == Verdict.OK] == ["model in use"]
    assert monitored.alerts == []
