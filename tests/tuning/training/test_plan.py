"""A plan begins with the configured settings, and has only settings that the configuration allows."""

from __future__ import annotations

import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.errors import InvalidArgument
from vsearch_lib.tuning.training.plan import plan
from vsearch_lib.tuning.training.space import Listed, parse_space


def settings_with(overrides: list[str]):
    return load_settings("demo", ["training.epochs=7", *overrides])


def planned(*attempts: str, trials: int | None = None):
    return plan(parse_space(attempts, settings_with), trials, settings_with)


def test_the_first_trial_has_the_configured_settings_and_the_others_change_only_what_is_tried():
    configured = settings_with([]).training
    (point, first), *others = planned("training.dropout=0.1,0.2", "training.learning_rate=0.001").points
    assert (point, first) == ((), configured)
    assert len(others) == 2
    for point, training in others:
        changes = {name.removeprefix("training."): value for name, value in point}
        assert training == configured.model_copy(update=changes)
        assert set(changes) == {"dropout", "learning_rate"}


def test_the_configured_values_are_not_tried_twice():
    points = planned("training.epochs=7,8", "training.dropout=0,0.1").points
    assert len(points) == 4
    assert (("training.dropout", 0.0), ("training.epochs", 7)) not in dict(points)


def test_the_number_of_trials_limits_a_grid_and_counts_a_random_search():
    assert len(planned("training.dropout=0.1,0.2,0.3", trials=2).points) == 1 + 2
    assert len(planned("training.dropout=0.1,0.2,0.3", trials=9).points) == 1 + 3
    assert len(planned("training.dropout=0.1:0.5", "training.epochs=8,9", trials=5).points) == 1 + 5


def test_a_plan_without_other_values_is_refused():
    with pytest.raises(InvalidArgument, match="attempts has only the configured values: give others"):
        planned("training.epochs=7")


def test_every_point_is_checked_before_the_first_is_tried():
    with pytest.raises(InvalidArgument, match=r"training\.dropout = 2: input should be less than 1"):
        plan({"training.dropout": Listed((0.1, 2))}, None, settings_with)
