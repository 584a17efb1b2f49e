"""The outcome of a comparison follows from the interval of the difference, and from the number of queries."""

from __future__ import annotations

import pytest

from vsearch_lib.figures import Figure
from vsearch_lib.measure.comparison.compared import GAIN, verdict


@pytest.mark.parametrize(
    ("low", "high", "n", "expected"),
    [
        (0.01, 0.05, 30, "better"),
        (-0.05, -0.01, 30, "worse"),
        (-0.01, 0.05, 30, "no difference that can be told"),
        (0.0, 0.05, 30, "no difference that can be told"),
        (-0.05, 0.0, 30, "no difference that can be told"),
        (0.0, 0.0, 30, "no difference that can be told"),
        (0.01, 0.05, 29, "too few queries"),
        (-0.05, -0.01, 1, "too few queries"),
    ],
)
def test_a_model_is_better_or_worse_only_if_the_whole_interval_says_so(low, high, n, expected):
    assert verdict(Figure(GAIN, (low + high) / 2, n=n, low=low, high=high), min_queries=30) == expected
