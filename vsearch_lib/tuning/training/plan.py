"""The trials of a search, all chosen and checked before the first begins."""

from dataclasses import dataclass

from vsearch_lib.config.settings import Training
from vsearch_lib.errors import InvalidArgument
from vsearch_lib.tuning.training.space import Point, SettingsWith, Space, overrides_of
from vsearch_lib.tuning.training.study import draw


@dataclass(frozen=True)
class Plan:
    """A search: what it tries, and its points with the settings that they give; the first are the configured ones."""

    space: Space
    points: tuple[tuple[Point, Training], ...]


def plan(space: Space, trials: int | None, settings_with: SettingsWith) -> Plan:
    """Draw the points of a search.

    Args:
        space: what to try.
        trials: how many to try at most, besides the configured settings; None for a whole grid.
        settings_with: returns the configured settings with some overrides, or raises a UsageError.

    Raises:
        UsageError: a point is not allowed, there is none besides the configured settings, or `trials` is missing.
    """
    configured = settings_with([]).training
    drawn = draw(space, trials, seed=configured.seed)
    points = [(point, settings_with(overrides_of(point)).training) for point in drawn]
    others = [(point, training) for point, training in points if training != configured]
    if not others:
        raise InvalidArgument("attempts", "has only the configured values: give others")
    return Plan(space, (((), configured), *others))
