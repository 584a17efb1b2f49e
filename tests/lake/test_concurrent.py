"""Concurrent runs on the same rows: no row is lost or duplicated, and a run that never succeeds reports it."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.errors import WriteConflict
from vsearch_lib.lake import Lake, tables
from vsearch_lib.run.bodies import body_of

DAYS = [date(2024, 5, day) for day in (6, 7, 8)]


def event(number: int, dwell_ms: int) -> dict[str, object]:
    return {
        "event_id": f"e{number}",
        "user_id": "u",
        "query_image_id": "q",
        "displayed_image_id": "d",
        "position": 1,
        "type": "click",
        "dwell_ms": dwell_ms,
        "occurred_at": f"2024-05-06T00:00:{number:02d}Z",
        "request_id": "r",
    }


@pytest.fixture(scope="module")
def landing(tmp_path_factory, make) -> Path:
    """Events of one day that land on three days, some of them again with other content; one image changes each day."""
    var = tmp_path_factory.mktemp("concurrent")
    images = make.landing(var / "landing" / "images")
    for index, day in enumerate(DAYS):
        folder = var / "landing" / "interactions" / f"date={day}"
        folder.mkdir(parents=True)
        lines = [json.dumps(event(number, dwell_ms=index)) for number in range(10 * index, 10 * index + 20)]
        (folder / "x.jsonl").write_text("\n".join(lines))
        images.put(f"date={day}/a.png", make.picture(index))
        images.put(f"date={day}/own{index}.png", make.picture(10 + index))
        images.describe([make.row("a", tags=[f"{day}"]), make.row(f"own{index}")], f"date={day}/metadata.jsonl")
    return var


def ingest(spark, settings, days) -> None:
    """Ingest the days in a new session, as another process would."""
    session = spark.newSession()
    run_id = "-".join(str(day) for day in days)
    lake = Lake(session, settings.lake.uri, run_id)
    for job in ("ingest_interactions", "ingest_images"):
        body_of(job)(StepContext(settings=settings, lake=lake, run_id=run_id, dates=tuple(days), say=lambda _: None))


def content(lake: Lake) -> dict[str, list[str]]:
    rows = {table: sorted(lake.read(table).toJSON().collect()) for table in ("interactions", "images", "image_files")}
    rows["image_pixels"] = sorted(row["sha256"] for row in lake.read("image_pixels").select("sha256").collect())
    return rows


def test_overlapping_partitions_ingested_at_once_give_the_result_of_one_run(spark, landing, settings):
    chosen = settings.model_copy(
        update={
            "landing": settings.landing.model_copy(
                update={"uri": str(landing / "landing"), "images": str(landing / "landing" / "images")}
            )
        }
    )
    alone = chosen.model_copy(update={"lake": chosen.lake.model_copy(update={"uri": f"{chosen.lake.uri}-alone"})})
    ingest(spark, alone, DAYS)
    with ThreadPoolExecutor(2) as pool:
        for run in [pool.submit(ingest, spark, chosen, days) for days in (DAYS[:2], DAYS[1:])]:
            run.result()
    expected = content(Lake(spark, alone.lake.uri, "read"))
    assert len(expected["interactions"]) == 40
    assert len(expected["images"]) == 4
    assert content(Lake(spark, chosen.lake.uri, "read")) == expected


def test_a_run_that_never_commits_first_reports_it_in_one_line(spark, lake, monkeypatch):
    columns = "query_image_id string, image_id string, annotator string, score int, landed_on date"
    lake.upsert("judgements", spark.createDataFrame([("q", "a", "n", 1, DAYS[0])], columns))
    monkeypatch.setattr(tables, "_ATTEMPTS", 2)
    monkeypatch.setattr(tables.random, "uniform", lambda *_: 0.1)  # seconds: the concurrent run leaves no gap anyway
    ended = threading.Event()

    def rewrite_without_pause() -> None:
        other = spark.newSession()
        while not ended.is_set():
            other.sql(f"UPDATE delta.`{lake.path('judgements')}` SET score = (score + 1) % 5")

    slowly = F.udf(lambda score: time.sleep(3) or score, "int")
    rows = spark.createDataFrame([("q", "b", "n", 1, DAYS[0])], columns).withColumn("score", slowly("score"))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(rewrite_without_pause)
        try:
            with pytest.raises(WriteConflict, match=r"judgements: other runs kept writing.*run this step again"):
                lake.insert_new("judgements", rows)
        finally:
            ended.set()
    assert {row["image_id"] for row in lake.read("judgements").collect()} == {"a"}


@pytest.mark.parametrize("stored", [[], [("q", "other", "n", 1)], [("q", "a", "n", 0)]])
def test_an_upsert_sees_what_a_concurrent_run_commits_after_its_first_read(spark, lake, monkeypatch, stored):
    def judged(*rows: tuple[str, str, str, int]):
        columns = "query_image_id string, image_id string, annotator string, score int, landed_on date"
        return spark.createDataFrame([(*row, DAYS[0]) for row in rows], columns)

    if stored:
        lake.insert_new("judgements", judged(*stored))
    merge = lake._merge

    def merge_after_concurrent_run(*arguments):
        monkeypatch.setattr(lake, "_merge", merge)
        lake.upsert("judgements", judged(("q", "a", "n", 2), ("q", "b", "n", 4), ("q", "theirs", "n", 1)))
        return merge(*arguments)

    monkeypatch.setattr(lake, "_merge", merge_after_concurrent_run)
    ours = judged(("q", "a", "n", 3), ("q", "b", "n", 3), ("q", "ours", "n", 1))
    assert lake.upsert("judgements", ours, when="new.score > old.score") == 2
    scores = {row["image_id"]: row["score"] for row in lake.read("judgements").where("image_id <> 'other'").collect()}
    assert scores == {"a": 3, "b": 4, "ours": 1, "theirs": 1}


def test_runs_that_create_the_same_table_at_once_all_write_to_it(spark, lake):
    columns = "query_image_id string, image_id string, annotator string, score int, landed_on date"

    def write(annotator: str) -> None:
        session = spark.newSession()
        own = Lake(session, lake.uri, annotator)
        own.insert_new("judgements", session.createDataFrame([("q", "a", annotator, 1, DAYS[0])], columns))

    with ThreadPoolExecutor(3) as pool:
        for run in [pool.submit(write, annotator) for annotator in "xyz"]:
            run.result()
    assert {row["annotator"] for row in lake.read("judgements").collect()} == set("xyz")
