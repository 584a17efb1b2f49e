"""A model is promoted only if no evidence leaves room for a loss, and the reason says what to do."""

from __future__ import annotations

import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.measure.comparison.compared import Comparison
from vsearch_lib.measure.comparison.evidence import (
    CLICKED,
    FROZEN_NEIGHBOURS,
    JUDGED,
    OWN_VIEWS,
    Evidence,
    Pair,
)
from vsearch_lib.measure.comparison.verdict import verdict
from vsearch_lib.paired import Difference


@pytest.fixture(scope="module")
def gate():
    return load_settings("demo", ["gate.max_ndcg_loss=0.01", "gate.max_neighbour_loss=0.05"]).gate


def measured(kind: str, low: float, high: float) -> Evidence:
    mean = (low + high) / 2
    return Evidence(
        kind, "figure", Pair("m2", "m1", 1), 0.5 + mean, 0.5, Difference(mean, low, high, 40, "not read"), []
    )


@pytest.mark.parametrize("kind", [JUDGED, CLICKED])
@pytest.mark.parametrize(("low", "high"), [(0.02, 0.04), (-0.009, 0.02), (0.0, 0.0)])
def test_a_model_that_is_no_worse_is_promoted(gate, kind, low, high):
    found = verdict(Comparison([measured(kind, low, high)]), "m1", gate)
    assert found.promotes
    assert f"0.500 with m1, on 40 {kind} queries: a difference of" in found.reason


@pytest.mark.parametrize(("low", "high"), [(-0.03, -0.02), (-0.02, 0.05)])
@pytest.mark.parametrize("kind", [JUDGED, CLICKED])
def test_a_model_that_is_worse_or_may_be_is_not(gate, kind, low, high):
    found = verdict(Comparison([measured(kind, low, high)]), "m1", gate)
    assert not found.promotes
    assert "worse by more than gate.max_ndcg_loss = 0.01" in found.reason
    assert ("vsearch label next" in found.reason) == (high > 0)


def test_own_views_promote_only_together_with_the_guard_and_do_not_say_that_the_model_is_better(gate):
    better, torn = measured(OWN_VIEWS, 0.1, 0.2), measured(FROZEN_NEIGHBOURS, -0.3, -0.2)
    refused = verdict(Comparison([better, torn]), "m1", gate)
    assert not refused.promotes
    assert "frozen backbone's neighbours 0.250, 0.500" in refused.reason
    assert "worse by more than gate.max_neighbour_loss = 0.05" in refused.reason
    kept = measured(FROZEN_NEIGHBOURS, -0.04, 0.01)
    promoted = verdict(Comparison([better, kept]), "m1", gate)
    assert promoted.promotes
    assert promoted.reason.endswith("this does not tell whether it is better: scored pairs would (vsearch label next)")
    assert not verdict(Comparison([measured(OWN_VIEWS, -0.02, -0.011), kept]), "m1", gate).promotes


def test_without_evidence_the_reason_says_how_much_is_needed_and_how_to_get_it(gate):
    found = verdict(Comparison(missing="3 judged queries are too few"), "m1", gate)
    assert not found.promotes
    assert found.reason == (
        "3 judged queries are too few: gate.min_compared_queries = 30; score pairs (vsearch label next)"
    )
