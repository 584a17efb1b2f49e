"""Training learns from the clicks of the days before the test, and only from those that no annotator contradicts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.examples.test_clicks import COLUMNS, changed, shown
from vsearch_lib.config import load_settings
from vsearch_lib.config.examples import Clicks
from vsearch_lib.examples.clicked import agreeing_with_judgements, days_to_learn_from, learn_from_clicks

LAST = date(2024, 5, 20)


@pytest.fixture(scope="module")
def chosen() -> Clicks:
    return load_settings("demo", []).clicks


@pytest.mark.parametrize(("days", "test_days", "seen"), [(3, 1, [3, 2, 1]), (90, 2, [4, 3, 2]), (1, 0, [0])])
def test_the_last_days_are_the_test_and_older_days_than_wanted_are_not_read(spark, chosen, days, test_days, seen):
    events = spark.createDataFrame([(LAST - timedelta(days=n),) for n in range(5)], "event_date date")
    rows = days_to_learn_from(events, changed(chosen, days=days, test_days=test_days)).collect()
    assert sorted((LAST - row["event_date"]).days for row in rows) == sorted(seen)


def test_without_events_there_is_no_day_to_learn_from(spark, chosen):
    assert days_to_learn_from(spark.createDataFrame([], "event_date date"), chosen).count() == 0


def test_a_click_counts_if_annotators_agree_or_nobody_judged(spark):
    pairs = spark.createDataFrame([("q", "a"), ("q", "b"), ("q", "c")], "query_image_id string, image_id string")
    grades = spark.createDataFrame(
        [("q", "a", 3.0), ("q", "b", 2.9), ("b", "c", 0.0)], "query_image_id string, image_id string, grade double"
    )
    kept = agreeing_with_judgements(pairs, grades, min_grade=3).collect()
    assert sorted(map(tuple, kept)) == [("q", "a"), ("q", "c")]


def test_impressions_without_clicks_say_nothing(spark, chosen):
    assert learn_from_clicks(spark.createDataFrame(shown("a"), COLUMNS), chosen) is None


def test_if_only_robots_clicked_no_pair_is_learnt(spark, chosen):
    """One user clicks everything, thirty times the same image for as many queries."""
    events = [
        event for n in range(30) for event in shown("a", 1, clicked=True, user="robot", request=f"r{n}", query=f"q{n}")
    ]
    clicked = learn_from_clicks(spark.createDataFrame([*events, *shown("b")], COLUMNS), chosen)
    assert [row["user_id"] for row in clicked.robots.collect()] == ["robot"]
    assert clicked.pairs.count() == 0


def test_a_query_that_everybody_clicks_gives_the_pairs_that_they_clicked(spark, chosen):
    events = [
        event
        for n in range(40)
        for position, image in enumerate("abc", start=1)
        for event in shown(image, position, clicked=image != "c" and n % 4 != 3, user=f"u{n}", request=f"r{n}")
    ]
    clicked = learn_from_clicks(spark.createDataFrame(events, COLUMNS), chosen)
    assert {row["image_id"]: (row["impressions"], row["clicks"]) for row in clicked.pairs.collect()} == {
        "a": (40, 30),
        "b": (40, 30),
    }
