"""What a comparison says follows from the interval of the difference."""

from __future__ import annotations

import pytest

from vsearch_lib.measure.comparison.evidence import JUDGED, Evidence
from vsearch_lib.paired import Difference


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.05, "better"),
        (-0.05, -0.01, "worse"),
        (-0.01, 0.05, "no difference that can be told"),
        (0.0, 0.05, "no difference that can be told"),
        (-0.05, 0.0, "no difference that can be told"),
        (0.0, 0.0, "no difference that can be told"),
    ],
)
def test_a_model_is_better_or_worse_only_if_the_whole_interval_says_so(low, high, expected):
    assert Evidence(JUDGED, 0.5, 0.5, Difference((low + high) / 2, low, high, 30), []).outcome == expected
