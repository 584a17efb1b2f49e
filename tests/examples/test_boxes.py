"""The boxes of users are described by quantiles, and a prior is used until there are enough."""

from __future__ import annotations

import math

import pytest

from vsearch_lib.examples.boxes import PRIOR, drawn_boxes


@pytest.fixture(scope="module")
def boxes(spark):
    def of(rows: list[tuple[str, float | None, float | None]], *, enough: int):
        frame = spark.createDataFrame(rows, "request_id string, crop_width double, crop_height double")
        return drawn_boxes(frame, min_boxes=enough)

    return of


def test_the_quantiles_are_those_of_the_boxes(boxes):
    """Squares with sides of 0.20, 0.21 … 0.40: each of the 21 quantiles is one of them."""
    squares = [(f"r{n}", 0.2 + n / 100, 0.2 + n / 100) for n in range(21)]
    found = boxes(squares, enough=21)
    assert found.count == 21
    assert found.sides == pytest.approx([0.2 + n / 100 for n in range(21)])
    assert found.log_aspects == (0.0,) * 21


def test_a_search_counts_once_however_many_images_it_displayed(boxes):
    rows = [("wide", 0.8, 0.2)] * 9 + [("whole picture", None, None)]
    found = boxes(rows, enough=1)
    assert found.count == 1
    assert found.sides == pytest.approx([0.4] * 21)
    assert found.log_aspects == pytest.approx([math.log(4)] * 21, abs=0.01)


@pytest.mark.parametrize("rows", [[], [("r", 0.5, 0.5)]], ids=["none", "one"])
def test_the_prior_is_used_until_there_are_enough(boxes, rows):
    assert boxes(rows, enough=2) == PRIOR
