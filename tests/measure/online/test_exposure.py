"""Coverage and concentration, by hand, against definitions, and counted on events."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.measure.online.exposure import count_exposure, exposure_figures, gini, top_share
from vsearch_lib.measure.online.periods import periods_of


def grouped(impressions: list[int]) -> tuple[np.ndarray, np.ndarray]:
    counted = Counter(impressions)
    return np.array(list(counted)), np.array(list(counted.values()))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any))
def test_the_gini_coefficient_is_half_the_mean_difference_of_two_images_over_the_mean(impressions):
    x = np.array(impressions)
    expected = np.abs(x[:, None] - x).mean() / (2 * x.mean())
    assert gini(*grouped(impressions)) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=400).filter(any))
def test_the_top_percent_gets_the_impressions_of_the_first_images_of_a_sorted_list(impressions):
    first = sorted(impressions, reverse=True)[: -(-len(impressions) // 100)]
    assert top_share(*grouped(impressions)) == pytest.approx(sum(first) / sum(impressions))


def test_images_that_were_not_shown_count_as_images_without_impressions():
    # Of 200 images one gets 90 impressions and ten get 1 each: the top two get 91 of 100.
    figures = {figure.metric: figure for figure in exposure_figures("day 2026-01-02", {90: 1, 1: 10}, 200)}
    assert figures["catalogue_coverage"].value == pytest.approx(11 / 200)
    assert figures["top_percent_impression_share"].value == pytest.approx(0.91)
    assert figures["impression_gini"].value > 0.98
    assert {(figure.slice, figure.n) for figure in figures.values()} == {("day 2026-01-02", 200)}


def test_everything_shown_equally_often_is_no_concentration():
    figures = {figure.metric: figure.value for figure in exposure_figures("all", {7: 50}, 50)}
    assert figures["catalogue_coverage"] == 1
    assert figures["impression_gini"] == pytest.approx(0)
    assert exposure_figures("all", {}, 50) == []


def test_the_impressions_of_a_week_are_counted_image_by_image_and_deleted_images_belong_to_it(spark):
    sunday, monday = date(2026, 11, 1), date(2026, 11, 2)
    shown = [(sunday, "r0", "a"), (monday, "r1", "a"), (monday, "r2", "a"), (monday, "r2", "b"), (monday, "r2", "gone")]
    columns = (
        "event_date date, request_id string, displayed_image_id string, user_id string, variant string, "
        "index_version string, position int, type string, dwell_ms bigint"
    )
    events = [(day, request, image, "u", None, None, 1, "impression", None) for day, request, image in shown]
    images = [("a", sunday), ("b", monday), ("never", sunday), ("later", date(2026, 11, 9))]
    found = count_exposure(
        spark.createDataFrame(events, columns),
        spark.createDataFrame(images, "image_id string, upload_date date"),
        [period for period in periods_of(sunday, monday) if "week" in period.name or period.name == f"day {sunday}"],
    )
    assert found == {
        "day 2026-11-01": ({1: 1}, 2),
        "week 2026-W44": ({1: 1}, 2),
        "week 2026-W45": ({2: 1, 1: 2}, 4),
    }
