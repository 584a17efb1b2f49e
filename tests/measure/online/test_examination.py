"""How far users look is estimated without robots, and drawn."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from vsearch_lib.config import load_settings
from vsearch_lib.examples.clicked import learn_from_clicks
from vsearch_lib.measure.online.examination import examination_charts, examination_figures

SEARCHES, EXAMINED_SECOND, ATTRACTIONS = 3000, 0.4, (0.7, 0.2)


def log(spark, *, robot: bool = False):
    """Searches for 30 queries, each with a good and a bad picture in a random order, on pages that say so."""
    rng = np.random.default_rng(3)
    good_first = rng.random(SEARCHES) < 0.5
    events = []
    for n in range(SEARCHES):
        for position in (1, 2):
            good = good_first[n] == (position == 1)
            seen = 1.0 if position == 1 else EXAMINED_SECOND
            clicked = rng.random() < seen * ATTRACTIONS[0 if good else 1]
            row = {
                "user_id": "robot" if robot and n < 1000 else f"u{n}",
                "request_id": f"r{n}",
                "query_image_id": f"q{n % 30}",
                "displayed_image_id": f"{'good' if good else 'bad'}-{n % 30}",
                "position": position,
                "type": "impression",
                "event_date": date(2024, 5, 6),
                "index_version": "v1",
                "variant": "random",
            }
            events += [row, {**row, "type": "click"}] if clicked else [row]
    return spark.createDataFrame(pa.Table.from_pylist(events)).withColumn("dwell_ms", F.lit(None).cast("bigint"))


@pytest.fixture(scope="module")
def chosen():
    return load_settings("demo", []).clicks


def figures_of(events, chosen):
    return examination_figures(learn_from_clicks(events, chosen), chosen)


@pytest.fixture(scope="module")
def figures(spark, chosen):
    return figures_of(log(spark), chosen)


def test_the_second_position_is_looked_at_as_often_as_in_truth(figures):
    first, second = (figure for figure in figures if figure.metric == "examination")
    assert (first.subject, first.slice, first.value) == ("method randomised", "position 1", 1.0)
    assert second.slice == "position 2"
    assert second.low < EXAMINED_SECOND < second.high
    assert abs(second.value - EXAMINED_SECOND) < 0.1


def test_effective_clicks_are_fewer_than_clicks_and_pairs_are_counted(figures):
    by_name = {figure.metric: figure for figure in figures}
    clicks = sum(figure.n for figure in figures if figure.metric == "examination")
    assert by_name["effective_clicks"].n == clicks
    assert 0.7 * clicks < by_name["effective_clicks"].value < clicks
    assert by_name["clicked_pairs"].value == 60


def test_the_curve_is_drawn(figures):
    (chart,) = examination_charts(figures)
    assert [point.x for point in chart.points] == [1, 2]
    assert "Method: randomised" in chart.note


def test_a_robot_is_counted_and_its_clicks_are_not(spark, chosen, figures):
    found = figures_of(log(spark, robot=True), chosen)
    robots = [(figure.slice, figure.value) for figure in found if figure.metric == "robots"]
    assert robots == [("too many clicks in a day", 1)]
    clicks = [sum(f.n for f in every if f.metric == "examination") for every in (found, figures)]
    assert 0.6 < clicks[0] / clicks[1] < 0.73


def test_with_too_few_clicks_there_is_no_curve_and_pairs_are_still_counted(spark, chosen):
    figures = figures_of(log(spark), chosen.model_copy(update={"min_position_clicks": 10_000}))
    assert [(figure.metric, figure.value) for figure in figures] == [("clicked_pairs", 60)]


def test_without_clicks_there_is_no_curve(spark, chosen):
    nothing = log(spark).where("type = 'impression'")
    assert figures_of(nothing, chosen) == []
    assert examination_charts([]) == []
