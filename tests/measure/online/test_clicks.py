"""Counts of days, by hand on a few events, and their figures; on real rows, as counted in SQL."""

from __future__ import annotations

import csv
import sqlite3
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from vsearch_lib.config import PROJECT
from vsearch_lib.examples.propensity import Examination
from vsearch_lib.figures import ALL
from vsearch_lib.measure.online.clicks import Counts, count_days, total
from vsearch_lib.measure.online.rates import position_figures, rate_figures, rates_by_position

REAL = PROJECT.parent / "shared" / "data" / "open-bandit"
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, 2) + timedelta(days=n) for n in range(3))
COLUMNS = (
    "user_id string, request_id string, displayed_image_id string, position int, type string, dwell_ms bigint, "
    "event_date date, variant string, index_version string"
)


def shown(
    request: str, place: int, variant: str | None = "a", day: date = MONDAY, version: str | None = "v1", user="u"
):
    return (user, request, f"i{place}", place, "impression", None, day, variant, version)


def click(request: str, place: int, dwell_ms: int | None, day: date = MONDAY, user="u"):
    return (user, request, f"i{place}", place, "click", dwell_ms, day, "a", "v1")


def images(spark, *uploads: tuple[str, date]):
    return spark.createDataFrame(list(uploads), "image_id string, upload_date date")


@pytest.fixture(scope="module")
def counted(spark):
    # Arm a shows two places twice, and its first and its second place are clicked; arm b shows the first alone.
    events = [
        *(shown("r1", place) for place in (1, 2)),
        *(shown("r2", place) for place in (1, 2)),
        shown("r2", 1),  # again
        shown("r3", 1, variant="b", day=TUESDAY, user="w"),
        click("r1", 1, 100),
        click("r1", 2, 300),
        click("r1", 2, 200),  # again
        click("r2", 2, 500, day=TUESDAY),  # after midnight
        click("r2", 1, 900, day=WEDNESDAY),  # too late
        click("r4", 1, 900, day=TUESDAY),  # of no impression
    ]
    uploaded = images(spark, ("i1", MONDAY), ("i2", MONDAY - timedelta(days=8)))
    return count_days(spark.createDataFrame(events, COLUMNS), uploaded, [MONDAY, TUESDAY, WEDNESDAY])


def figures_of(counts: Counts, examination: Examination | None = None) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for figure in rate_figures(counts, ALL, rates_by_position(counts), examination):
        found.setdefault(figure.label, {})[figure.metric] = figure.value
    return found


@pytest.fixture(scope="module")
def found(counted):
    return figures_of(total(counted.values()))


def test_an_impression_and_a_click_on_it_count_once(found):
    assert found["all"]["impressions"] == 5
    assert found["all"]["clicked_impressions"] == 3
    assert found["all"]["click_through_rate"] == pytest.approx(3 / 5)


def test_the_first_click_of_a_request_decides_its_reciprocal_rank(found):
    assert found["all"]["click_mrr"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["all"]["clicked_request_share"] == pytest.approx(2 / 3)


def test_clicks_are_compared_with_those_that_their_positions_usually_get(found):
    # The first place is clicked once in three times shown, the second both times.
    assert found["all"]["clicks_over_expected"] == pytest.approx(1)
    assert found["variant a"]["clicks_over_expected"] == pytest.approx(3 / (2 * (1 / 3 + 1)))
    assert found["variant b"]["clicks_over_expected"] == 0


def test_a_click_after_midnight_belongs_to_the_day_of_its_impression(counted):
    days = {day: figures_of(counts).get("all", {}) for day, counts in counted.items()}
    assert (days[MONDAY]["requests"], days[MONDAY]["clicked_impressions"]) == (2, 3)
    assert (days[TUESDAY]["requests"], days[TUESDAY]["clicked_impressions"]) == (1, 0)
    assert days[WEDNESDAY] == {}


def test_a_day_is_counted_the_same_alone_and_with_others(spark, counted):
    again = [shown("r1", 1), shown("r3", 1, day=TUESDAY), click("r1", 1, 100, day=TUESDAY)]
    events, uploaded = spark.createDataFrame(again, COLUMNS), images(spark, ("i1", MONDAY))
    together = count_days(events, uploaded, [MONDAY, TUESDAY])
    assert together == {day: count_days(events, uploaded, [day])[day] for day in (MONDAY, TUESDAY)}
    assert count_days(events, uploaded, []) == {}


def test_the_time_on_a_clicked_picture_is_that_of_its_longest_click(found):
    assert found["all"]["dwell_ms_total"] == 100 + 300 + 500
    assert found["all"]["dwell_ms_mean"] == pytest.approx(300)
    assert "dwell_ms_mean" not in found["variant b"]


def test_a_session_is_a_user_on_a_day(counted, found):
    assert (found["all"]["sessions"], found["all"]["clicked_session_share"]) == (2, 0.5)
    assert figures_of(counted[MONDAY])["all"]["sessions"] == 1


def test_the_age_of_clicked_images_is_that_at_the_click(found):
    # Image 1 is clicked once on the day of its upload, image 2 twice after 8 days.
    assert found["all"]["click_age_days_mean"] == pytest.approx(16 / 3)
    assert found["all"]["new_click_share"] == pytest.approx(1 / 3)


def test_the_debiased_rate_is_what_users_click_who_look(found, counted):
    # Half of the users look at the second place, so that each of its clicks stands for two; at most all are attracted.
    half = np.array([1, 0.5])
    curve = Examination("randomised", np.array([1, 2]), half, half, half, 0.0, np.zeros(2), np.zeros(2))
    debiased = figures_of(total(counted.values()), curve)["all"]["debiased_click_through_rate"]
    assert debiased == pytest.approx((3 * (1 / 3) + 2 * 1) / 5)
    assert "debiased_click_through_rate" not in found["all"]


def test_a_variant_or_a_version_is_a_subject_and_a_rate_has_its_n(counted):
    figures = rate_figures(counted[MONDAY], f"day {MONDAY}", {}, None)
    assert {(f.subject, f.slice) for f in figures} == {(s, f"day {MONDAY}") for s in ("all", "index v1", "variant a")}
    assert {f.metric: f.n for f in figures if f.subject == ALL and f.n} == {
        "click_through_rate": 4,
        "clicked_request_share": 2,
        "clicked_session_share": 1,
        "click_mrr": 2,
        "dwell_ms_mean": 3,
        "click_age_days_mean": 3,
        "new_click_share": 3,
    }


def test_the_rate_of_a_position_names_the_period_and_the_position(counted):
    (first, second) = position_figures(counted[MONDAY], "week 2026-W45")
    assert (first.slice, first.value, first.n) == ("week 2026-W45, position 1", 0.5, 2)
    assert (second.slice, second.value) == ("week 2026-W45, position 2", 1.0)
    assert position_figures(counted[MONDAY], ALL, subject="variant a")[0].label == "variant a, position 1"


def test_without_variants_and_versions_there_are_no_subjects_for_them(spark):
    events = spark.createDataFrame([shown("r", 1, variant=None, version=None)], COLUMNS)
    assert set(figures_of(count_days(events, images(spark), [MONDAY])[MONDAY])) == {"all"}


# Click-through rates by position and policy, as SQL counts them in the rows of a log.


def rates_in_sql(rows: list[tuple]) -> dict[tuple[str, int], tuple[int, int]]:
    """(policy, position) → impressions and clicks of (policy, user, second, item, position, click), by SQLite."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE log (policy, user, second, item, position, click)")
    database.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", rows)
    counted = database.execute(
        """
        SELECT policy, position, COUNT(*), SUM(click) FROM (
            SELECT policy, position, MAX(click) AS click FROM log GROUP BY policy, user, second, item, position
        ) GROUP BY policy, position
        """
    )
    return {(policy, position): (shown, clicks) for policy, position, shown, clicks in counted}


def rates_of_ours(spark, rows: list[tuple]) -> dict[tuple[str, int], tuple[int, int]]:
    logged = [
        {
            "user_id": user,
            "request_id": f"{user} {second}",
            "displayed_image_id": item,
            "position": position,
            "type": kind,
            "event_date": date.fromisoformat(second[:10]),
            "variant": policy,
            "index_version": "v1",
        }
        for policy, user, second, item, position, clicked in rows
        for kind in (("impression", "click") if clicked else ("impression",))
    ]
    events = spark.createDataFrame(pa.Table.from_pylist(logged)).withColumn("dwell_ms", F.lit(None).cast("bigint"))
    days = sorted({row["event_date"] for row in logged})
    summed = total(count_days(events, images(spark), days).values())
    return {
        (subject.removeprefix("variant "), position): (shown, summed[subject, position, "clicks"])
        for (subject, position, name), shown in summed.items()
        if name == "impressions" and subject.startswith("variant ")
    }


def test_rates_by_position_and_policy_are_those_of_sql_on_generated_rows(spark):
    rng = np.random.default_rng(4)
    rows = [
        (
            f"policy {rng.integers(2)}",
            f"user {rng.integers(40)}",
            f"2026-03-{rng.integers(1, 5):02} 10:{rng.integers(60):02}:00",
            f"item {rng.integers(20)}",
            place,
            int(rng.random() < 0.3 / place),
        )
        for _ in range(700)
        for place in (1, 2, 3)
    ]
    # An item is shown once on a page, as it is by a search.
    pages = {row[1:4] for row in rows}
    rows = list({row[1:4]: row for row in rows}.values())
    assert len(rows) == len(pages)
    assert rates_of_ours(spark, rows) == rates_in_sql(rows)


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/open-bandit is missing: no real clicks to count")
def test_rates_by_position_and_policy_are_those_of_sql_on_open_bandits_rows(spark):
    rows = []
    for policy in ("random", "bts"):
        with (REAL / f"{policy}-men" / "men.csv").open(newline="") as text:
            for row in csv.DictReader(text):
                user = "".join(row[f"user_feature_{n}"] for n in range(4))
                at, item, position = row["timestamp"][:19], row["item_id"], int(row["position"])
                rows.append((policy, user, at, item, position, int(row["click"])))
    expected = rates_in_sql(rows)
    assert sum(shown for shown, _ in expected.values()) == 19_999  # one row is logged twice within a second
    assert sum(clicks for _, clicks in expected.values()) == 46 + 69
    assert rates_of_ours(spark, rows) == expected
