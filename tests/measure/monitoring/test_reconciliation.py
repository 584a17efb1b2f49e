"""Each kind of difference between images, vectors and rows is found on a few rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from vsearch_lib.measure.monitoring.check import Verdict
from vsearch_lib.measure.monitoring.reconciliation import KINDS, Reconciled, differences

NOW = datetime(2026, 11, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def unit() -> list[float]:
    return [1.0, 0.0]


def test_every_kind_of_difference_is_found_and_equal_ids_are_not(catalogue, spark, unit):
    hashes = {name: name.ljust(64, "0") for name in ("same", "bare", "unlisted", "stale", "twice", "refused")}
    catalogue.images(hashes)
    catalogue.images({"blocked": "b" * 64}, moderation="blocked")
    vectors = {**hashes, "stale": "9" * 64, "blocked": "b" * 64, "gone": "c" * 64}
    del vectors["bare"], vectors["refused"]
    rows = [("m1", name, digest, unit) for name, digest in vectors.items()] + [("m0", "old", "d" * 64, unit)]
    columns = "model_version string, image_id string, sha256 string, vector array<float>"
    catalogue.lake.upsert("embeddings", spark.createDataFrame(rows, columns))
    refused = [("r", "embeddings", "refused", 0, "vector_zero", "m", None, NOW)]
    columns = "run string, table string, source string, line bigint, reason string, message string, payload string, "
    catalogue.lake.upsert("quarantine", spark.createDataFrame(refused, f"{columns}first_seen timestamp"))
    index = ["same", "stale", "twice", "twice", "blocked", "stray"]
    found = differences(catalogue.lake, "m1", spark.createDataFrame(pa.table({"image_id": index})))
    kinds = sorted((row["image_id"], row["kind"]) for row in found.collect())
    assert kinds == [
        ("bare", "image without vector"),
        ("blocked", "row without image"),
        ("blocked", "vector without image"),
        ("gone", "vector without image"),
        ("stale", "image without vector"),  # its vector is of earlier pixels
        ("stale", "row without vector"),
        ("stray", "row without image"),
        ("twice", "several rows"),
        ("unlisted", "image without row"),
    ]
    assert {kind for _, kind in kinds} == set(KINDS)


def test_an_unexplained_difference_is_an_alert_that_names_ids_and_the_file():
    counts = {**dict.fromkeys(KINDS, 0), "row without image": 7}
    same, waiting = Reconciled(counts, ["a", "b"], 0, None, "reports/d.jsonl").checks("index v", NOW, max_hours=24)
    assert same.verdict == Verdict.ALERT
    assert same.seen == "row without image: 7 (a, b…; all are listed in reports/d.jsonl)"
    assert [figure.value for figure in same.figures if figure.slice == "row without image"] == [7]
    assert (waiting.verdict, waiting.seen) == (Verdict.OK, "none")


@pytest.mark.parametrize(("hours", "verdict"), [(23, Verdict.OK), (25, Verdict.ALERT)])
def test_a_change_may_wait_for_a_day(hours, verdict):
    oldest = NOW - timedelta(hours=hours)
    same, waiting = Reconciled(dict.fromkeys(KINDS, 0), [], 3, oldest, "f").checks("index v", NOW, max_hours=24)
    assert same.verdict == Verdict.OK
    assert (waiting.verdict, waiting.seen) == (verdict, f"3, the first for {hours}.0 h")
