"""Each impression has one outcome, robots do not count, and evidence is free of position bias."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.config.examples import Clicks
from vsearch_lib.examples.clicks import count_outcomes, evidence, once_per_user, outcomes, robots
from vsearch_lib.examples.propensity import PRIOR, Examination, relevance

DAY = date(2024, 5, 6)
COLUMNS = (
    "user_id string, request_id string, query_image_id string, displayed_image_id string, position int, type string, "
    "dwell_ms bigint, event_date date, index_version string, variant string"
)


def event(
    kind: str, image: str, position: int = 1, *, user="u", request="r", query="q", dwell=None, day=DAY, variant="a"
):
    return (user, request, query, image, position, kind, dwell, day, "v1", variant)


def shown(image: str, position: int = 1, *, clicked: bool = False, **more):
    """An impression, with its click."""
    events = [event("impression", image, position, **more)]
    return [*events, event("click", image, position, **more)] if clicked else events


@pytest.fixture(scope="module")
def chosen() -> Clicks:
    return load_settings("demo", []).clicks


@pytest.fixture(scope="module")
def found(spark):
    def of(events, chosen: Clicks):
        return outcomes(spark.createDataFrame(events, COLUMNS), chosen)

    return of


def changed(chosen: Clicks, **values: object) -> Clicks:
    return Clicks(**{**chosen.model_dump(), **values})


def test_an_impression_that_was_clicked_twice_is_clicked_once(found, chosen):
    events = [*shown("a", 1, clicked=True), event("click", "a", 1), *shown("b", 2)]
    rows = {row["displayed_image_id"]: row for row in found(events, chosen).collect()}
    assert {image: (row["position"], row["clicked"]) for image, row in rows.items()} == {
        "a": (1, True),
        "b": (2, False),
    }


@pytest.mark.parametrize(
    "events",
    [[event("click", "a")], shown("a", query=None, clicked=True), shown("q", clicked=True)],
    ids=["click without an impression", "uploaded query", "the query itself"],
)
def test_what_says_nothing_about_two_images_has_no_outcome(found, chosen, events):
    assert found(events, chosen).count() == 0


def test_a_click_on_a_picture_that_was_left_soon_does_not_count(found, chosen):
    events = [event("impression", image) for image in ("short", "long", "unknown")]
    events += [event("click", "short", dwell=999), event("click", "long", dwell=1000), event("click", "unknown")]
    rows = found(events, changed(chosen, min_dwell_ms=1000)).collect()
    assert {row["displayed_image_id"] for row in rows if row["clicked"]} == {"long", "unknown"}


def test_users_who_click_like_robots_are_found_by_the_rules(found, chosen):
    def searches(user: str, clicked: list[str], only_shown: int):
        named = [(image, True) for image in clicked] + [(f"{user}-{n}", False) for n in range(only_shown)]
        return [
            one
            for n, (image, click) in enumerate(named)
            for one in shown(image, clicked=click, user=user, request=f"{user}-{n}", query=f"query {n}")
        ]

    events = [
        *searches("busy", [f"i{n}" for n in range(9)], 40),
        *searches("eager", [f"i{n}" for n in range(5)], 0),
        *searches("farm", ["goal", "goal", "goal", "i1"], 20),
        *searches("keen", ["i1", "i2", "i3"], 0),
        *searches("person", ["i1", "i2", "goal", "goal"], 20),
    ]
    rules = changed(
        chosen, max_clicks_per_day=8, max_click_share=0.9, max_share_on_one_image=0.5, min_clicks_of_robots=4
    )
    suspects = {row["user_id"]: row["rule"] for row in robots(found(events, rules), rules).collect()}
    assert suspects == {
        "busy": "too many clicks in a day",
        "eager": "clicks nearly everything",
        "farm": "clicks one image again and again",
    }


def test_a_user_counts_once_for_a_pair(found, chosen):
    later = date(2024, 5, 7)
    events = [
        *shown("a", 3, request="r1"),
        *shown("a", 1, request="r2", day=later, clicked=True),
        *shown("a", 2, request="r3", user="other", clicked=True),
    ]
    rows = once_per_user(found(events, chosen)).collect()
    assert sorted((row["user_id"], row["position"], row["clicked"]) for row in rows) == [
        ("other", 2, True),
        ("u", 3, False),
    ]


@pytest.fixture(scope="module")
def searches(found, chosen):
    """Forty users: image a at position 1 or 2, b at the other one; half of the pages are shuffled."""
    events = []
    for n in range(40):
        who = {"user": f"u{n}", "request": f"r{n}", "variant": "random" if n % 2 else "a"}
        events += shown("a", 1 + n % 4 // 2, clicked=n < 12, **who) + shown("b", 2 - n % 4 // 2, clicked=n == 39, **who)
    return found(events, chosen)


def test_counts_hold_every_outcome_once(searches, chosen):
    counts = count_outcomes(searches, chosen)
    assert (counts.impressions.sum(), counts.clicks.sum()) == (80, 13)
    assert len(np.unique(counts.pair)) == 2
    assert counts.impressions[counts.randomised].sum() == 40
    assert [counts.impressions[counts.position == k].sum() for k in (1, 2)] == [40, 40]
    assert set(counts.half) == {0, 1}


def test_without_searches_there_is_nothing_to_count(found, chosen):
    assert len(count_outcomes(found(shown("q"), chosen), chosen)) == 0


def curve(examined: float, accident: float = 0.0) -> Examination:
    values, none = np.array([1.0, examined]), np.zeros(2, dtype=np.int64)
    return Examination("randomised", np.array([1, 2]), values, values, values, accident, none, none)


@pytest.mark.parametrize(("examined", "accident"), [(0.5, 0.0), (0.05, 0.1)])
def test_the_relevance_of_a_pair_is_that_of_the_same_counts_in_arrays(searches, chosen, examined, accident):
    estimate = curve(examined, accident)
    every_pair = changed(chosen, min_pair_impressions=1, min_pair_clicks=1, max_weight=99.0)
    rows = evidence(searches, estimate, every_pair).collect()
    _, expected = relevance(count_outcomes(searches, chosen), estimate)
    assert sorted(row["relevance"] for row in rows) == pytest.approx(sorted(expected))


def test_a_pair_with_enough_clicks_is_evidence(searches, chosen):
    # b has one click.
    (row,) = evidence(searches, curve(0.5), chosen).collect()
    assert (row["query_image_id"], row["image_id"], row["impressions"], row["clicks"]) == ("q", "a", 40, 12)


def test_no_click_weighs_more_than_the_limit(searches, chosen):
    """Image a was displayed twenty times at each position, and the second one is looked at by 5 % of the users."""
    free, limited = (
        evidence(searches, curve(0.05), changed(chosen, max_weight=limit)).collect()[0]["relevance"]
        for limit in (20.0, 4.0)
    )
    assert 0 < limited < free < 1
    assert limited / free == pytest.approx((20 + 20 / 20 + PRIOR) / (20 + 20 / 4 + PRIOR))


def test_a_pair_with_too_few_impressions_is_no_evidence(searches, chosen):
    assert evidence(searches, curve(0.5), changed(chosen, min_pair_impressions=41)).count() == 0
