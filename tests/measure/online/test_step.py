"""The job that measures what people did: its window, its page."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.small_model import SMALL
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.run.bodies import body_of

LAST = date(2024, 5, 31)
COLUMNS = (
    "event_id string, user_id string, query_image_id string, displayed_image_id string, position int, type string, "
    "dwell_ms bigint, latitude double, longitude double, occurred_at timestamp, event_date date, request_id string, "
    "index_version string, variant string"
)


def search(query: str, day: date, number: int) -> tuple[object, ...]:
    at = datetime(day.year, day.month, day.day, 12)
    name = f"{day}-{query}-{number}"
    return (name, "u", query, "image-00", 1, "impression", None, None, None, at, day, name, "v1", "a")


def measure(catalogue, *overrides: str) -> tuple[dict[tuple[str, str], float], list[str]]:
    said: list[str] = []
    lake = catalogue.lake
    settings = load_settings("demo", [f"var={catalogue.settings.var}", *SMALL, *overrides])
    figures = body_of("measure_online")(StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=said.append))
    return {(figure.metric, figure.label): figure.value for figure in figures}, said


@pytest.fixture
def searched(catalogue, jpegs):
    """People asked with some pictures for weeks, and in the last one with others."""
    before = [search(name, LAST - timedelta(days=7 + n), n) for n in range(20) for name in jpegs]
    last = [search(f"new-{n}", LAST - timedelta(days=n), n) for n in range(4)]
    catalogue.lake.upsert("interactions", catalogue.spark.createDataFrame([*before, *last], COLUMNS))
    return catalogue


def test_the_setting_says_how_many_days_are_measured(searched):
    figures, said = measure(searched)
    assert figures["requests", "all"] == 4
    assert figures["requests", str(LAST)] == 1
    assert ("requests", str(LAST - timedelta(days=7))) not in figures
    page = Path(said[0].removeprefix("measure_online: ")).read_text()
    assert "2024-05-25 to 2024-05-31" in page
    figures, _ = measure(searched, "online.days=8")
    assert figures["requests", "all"] == 4 + 10


def test_a_new_page_is_written_only_if_a_table_has_changed(searched):
    figures, said = measure(searched)
    assert measure(searched) == (figures, said)
    Path(said[0].removeprefix("measure_online: ")).unlink()
    assert measure(searched)[1] != said
    searched.lake.upsert("interactions", searched.spark.createDataFrame([search("image-01", LAST, 9)], COLUMNS))
    assert measure(searched)[0]["requests", "all"] == figures["requests", "all"] + 1


def test_without_interactions_there_is_nothing_to_measure(catalogue):
    assert measure(catalogue) == ({}, ["measure_online: no interactions yet"])
