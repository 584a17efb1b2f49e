"""The table has the best first, and says whether the best is surely better than the configured settings."""

from __future__ import annotations

import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.tuning.training.results import Results, Trial
from vsearch_lib.tuning.training.study import Outcome


def outcome(*recalls: float, best_epoch: int = 2) -> Outcome:
    return Outcome(recall_at_start=0.25, recalls=recalls, best_epoch=best_epoch, epochs=4, seconds=1.5)


def trial(dropout: float, how: Outcome) -> Trial:
    return Trial((("training.dropout", dropout),), how)


FAILED = Outcome(None, (), 0, 0, 0.5, failure="its loss is no number")


def results(*trials: Trial) -> Results:
    return Results("s1", "head", ("training.dropout",), load_settings("demo"), trials)


CONFIGURED = Trial((), outcome(*[0.5] * 40))


def test_the_best_comes_first_and_a_failed_trial_last():
    found = results(CONFIGURED, trial(0.1, FAILED), trial(0.2, outcome(*[0.75] * 40)), trial(0.3, outcome(*[0] * 40)))
    assert found.text.splitlines() == [
        "Snapshot s1, depth head, recall of 40 validation queries",
        "            training.dropout  recall at start  best recall  best epoch  epochs  seconds",
        "                         0.2            0.250        0.750           2       4      1.5",
        "configured               0.0            0.250        0.500           2       4      1.5",
        "                         0.3            0.250        0.000           2       4      1.5",
        "                         0.1                        failed                          0.5",
        "training.dropout=0.1: its loss is no number",
        "training.dropout=0.2: +0.250 over the configured settings (+0.250 to +0.250, query by query)",
        "the best of 4 on one validation set looks better than it is: compare_models decides on the test split",
    ]


def test_an_interval_that_contains_zero_may_be_chance():
    unsure = outcome(*[0.0, 1.0] * 18, *[1.0] * 4)
    found = results(CONFIGURED, trial(0.2, unsure))
    assert found.gain.mean == pytest.approx(0.05)
    assert found.gain.low < 0 < found.gain.high
    assert "; that may be chance, because the interval contains 0" in found.text


def test_the_configured_settings_are_best_if_no_other_has_a_higher_recall():
    found = results(CONFIGURED, trial(0.1, CONFIGURED.outcome), trial(0.2, outcome(*[0.25] * 40)), trial(0.3, FAILED))
    assert found.best is CONFIGURED
    assert found.gain is None
    assert found.text.endswith("no other settings have a higher recall than the configured ones")
