"""The job that measures what people did: its window, its page."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.small_model import SMALL
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.measure.online import history
from vsearch_lib.measure.online.clicks import count_days
from vsearch_lib.run.bodies import body_of

LAST = date(2024, 5, 31)
COLUMNS = (
    "event_id string, user_id string, query_image_id string, displayed_image_id string, position int, type string, "
    "dwell_ms bigint, latitude double, longitude double, occurred_at timestamp, event_date date, request_id string, "
    "index_version string, variant string"
)


def search(query: str, day: date, number: int, *, user="u", kind="impression", variant="a") -> tuple[object, ...]:
    at = datetime(day.year, day.month, day.day, 12)
    name = f"{day}-{query}-{number}"
    dwell_ms = 1000 if kind == "click" else None
    event = f"{name}-{kind}"
    return (event, user, query, "image-00", 1, kind, dwell_ms, None, None, at, day, name, "v1", variant)


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
    assert figures["requests", f"day {LAST}"] == 1
    assert ("requests", f"day {LAST - timedelta(days=7)}") not in figures
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


@pytest.fixture
def counted_days(monkeypatch) -> list[str]:
    """The days that are counted from events, as they are counted."""
    days: list[str] = []

    def count(events, images, wanted):
        days.extend(map(str, wanted))
        return count_days(events, images, wanted)

    monkeypatch.setattr(history, "count_days", count)
    return days


def land(catalogue, *events: tuple[object, ...]) -> None:
    catalogue.lake.upsert("interactions", catalogue.spark.createDataFrame(list(events), COLUMNS))


def test_weeks_and_months_are_sums_of_days_and_only_changed_days_are_counted_again(catalogue, counted_days):
    days = [LAST - timedelta(days=n) for n in range(40)]
    land(catalogue, *(search("q", day, n) for day in days for n in range(1 + day.day % 3)))
    land(catalogue, *(search("q", day, 0, kind="click") for day in days[::2]))
    figures, _ = measure(catalogue)
    # The window is the last week of May; its weeks and its month need no other days.
    of_may = [day for day in days if day.month == 5]
    assert sorted(counted_days) == sorted(map(str, of_may))
    for metric in ("requests", "sessions", "impressions", "clicked_impressions", "dwell_ms_total"):
        window, week = ([f"day {date(2024, 5, day)}" for day in range(first, 32)] for first in (25, 27))
        assert figures[metric, "all"] == sum(figures[metric, day] for day in window)
        assert figures[metric, "week 2024-W22"] == sum(figures[metric, day] for day in week)
    assert figures["requests", "month 2024-05"] == sum(1 + day.day % 3 for day in of_may)
    assert figures["clicked_impressions", "month 2024-05"] == len(set(days[::2]) & set(of_may))

    counted_days.clear()
    land(catalogue, search("late", LAST - timedelta(days=20), 9), search("q", LAST + timedelta(days=1), 0))
    later, _ = measure(catalogue)
    # A late event, a new day, and the days before both, whose clicks may have come on them.
    changed = (LAST - timedelta(days=21), LAST - timedelta(days=20), LAST, LAST + timedelta(days=1))
    assert sorted(counted_days) == sorted(map(str, changed))
    assert later["requests", "month 2024-05"] == figures["requests", "month 2024-05"] + 1
    assert later["requests", "month 2024-06"] == 1


def test_the_experiment_of_the_settings_is_judged_and_the_page_says_how(catalogue):
    events = []
    for n in range(400):
        variant, clicks = ("new", n % 10 < 9) if n % 2 else ("old", n % 10 < 2)
        events.append(search("q", LAST, n, user=f"u{n}", variant=variant))
        events += [search("q", LAST, n, user=f"u{n}", variant=variant, kind="click")] if clicks else []
    events += [search("q", LAST, n, user=f"in both {n // 2}", variant=("new", "old")[n % 2]) for n in range(400, 404)]
    land(catalogue, *events)
    names = ("serving.canary.name=new", "serving.canary.control=old")
    figures, said = measure(catalogue, *names, "serving.canary.share=0.5")
    arms = [f"variant new over old, variant {name}" for name in ("new", "old")]
    assert [figures["experiment_users", arm] for arm in arms] == [200, 200]
    assert [figures["experiment_click_through_rate", arm] for arm in arms] == [0.8, 0.2]
    assert figures["experiment_users_in_both", "variant new over old"] == 2
    assert figures["click_through_rate_gain", "variant new over old"] == pytest.approx(0.6)
    assert ("experiment_verdict", "variant new over old, better") in figures
    page = Path(said[0].removeprefix("measure_online: ")).read_text()
    assert "new instead of old: better" in page
    assert "The click-through rate is 80.00%, and 20.00% with the control" in page

    figures, said = measure(catalogue, *names, "serving.canary.share=0.1")
    assert ("experiment_verdict", "variant new over old, broken split") in figures
    assert "experiment_verdict" not in {metric for metric, _ in measure(catalogue)[0]}
