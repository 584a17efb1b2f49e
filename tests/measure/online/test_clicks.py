"""Figures of clicks, counted by hand on a few events."""

from __future__ import annotations

from datetime import date

import pytest

from vsearch_lib.measure.online.clicks import CLICK_FIGURES, click_figures

MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)
COLUMNS = (
    "request_id string, displayed_image_id string, position int, type string, dwell_ms bigint, event_date date, "
    "variant string, index_version string"
)


def shown(request: str, place: int, variant: str | None = "a", day: date = MONDAY, version: str | None = "v1"):
    return (request, f"i{place}", place, "impression", None, day, variant, version)


def click(request: str, place: int, dwell_ms: int, variant: str | None = "a", day: date = MONDAY):
    return (request, f"i{place}", place, "click", dwell_ms, day, variant, "v1")


def figures_of(spark, *events) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for figure in click_figures(spark.createDataFrame(list(events), COLUMNS)):
        found.setdefault(figure.label, {})[figure.metric] = figure.value
    return found


@pytest.fixture(scope="module")
def found(spark):
    # Arm a shows two places twice, and its first and its second place are clicked; arm b shows the first alone.
    return figures_of(
        spark,
        *(shown("r1", place) for place in (1, 2)),
        *(shown("r2", place) for place in (1, 2)),
        shown("r3", 1, variant="b", day=TUESDAY),
        click("r1", 1, 100),
        click("r1", 2, 300),
        click("r1", 2, 200),  # again
        click("r2", 2, 500, day=TUESDAY),  # after midnight
    )


def test_an_impression_counts_as_clicked_once(found):
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


def test_a_request_belongs_to_the_day_on_which_it_began(found):
    assert {name: figures["requests"] for name, figures in found.items()} == {
        "all": 3,
        "2026-11-02": 2,
        "2026-11-03": 1,
        "variant a": 2,
        "variant b": 1,
        "index v1": 3,
    }
    assert found["2026-11-03"]["clicked_impressions"] == 0


def test_the_time_on_a_clicked_picture_is_that_of_its_longest_click(found):
    # Of r1 the mean of 100 and 300, of r2 500.
    assert found["all"]["dwell_ms_median"] == pytest.approx(350)
    assert "dwell_ms_median" not in found["variant b"]


def test_a_day_is_a_slice_and_a_variant_or_a_version_a_subject(spark):
    figures = click_figures(spark.createDataFrame([shown("r", 1, variant="v1")], COLUMNS))
    assert [(f.subject, f.slice) for f in figures if f.metric == "requests"] == [
        ("all", "2026-11-02"),
        ("all", "all"),
        ("index v1", "all"),
        ("variant v1", "all"),
    ]


def test_a_rate_has_the_number_of_its_impressions_or_requests(spark):
    events = [*(shown("r1", place) for place in (1, 2)), shown("r2", 1), click("r1", 1, 100)]
    figures = click_figures(spark.createDataFrame(events, COLUMNS))
    assert {f.metric: f.n for f in figures if f.label == "all" and f.n} == {
        "click_through_rate": 3,
        "clicked_request_share": 2,
        "click_mrr": 2,
        "clicks_over_expected": 3,
    }


def test_without_variants_and_versions_there_are_no_subjects_for_them(spark):
    found = figures_of(spark, shown("r", 1, variant=None, version=None))
    assert sorted(found) == ["2026-11-02", "all"]
    assert set(found["all"]) == set(CLICK_FIGURES) - {"dwell_ms_median", "clicks_over_expected"}


def test_without_events_there_are_no_figures(spark):
    assert click_figures(spark.createDataFrame([], COLUMNS)) == []
