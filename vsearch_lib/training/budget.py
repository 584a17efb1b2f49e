"""A training that has so many minutes: fewer steps are chosen before it begins."""

import math
from collections.abc import Callable
from time import perf_counter

# Of the time: the rest is for checkpoints, for steps that take longer than those measured, and for the registry.
_PLANNED_SHARE = 0.9
TIMED_STEPS = 4  # the first one, in which memory is set up, does not count


def steps_within(
    seconds: float, *, epochs: int, steps: int, step_seconds: float, validation_seconds: float
) -> tuple[int, int]:
    """Return the epochs and the steps of each epoch that fit into `seconds`, at least one step.

    Args:
        seconds: that the training may take from now on.
        epochs: wanted.
        steps: wanted in each epoch.
        step_seconds: how long a step takes.
        validation_seconds: how long the validation after an epoch takes.
    """
    seconds *= _PLANNED_SHARE
    if epochs * (steps * step_seconds + validation_seconds) <= seconds:
        return epochs, steps
    whole = seconds / (steps * step_seconds + validation_seconds)
    epochs = max(1, min(epochs, math.ceil(whole)))
    affordable = (seconds - epochs * validation_seconds) / (epochs * step_seconds)
    return epochs, max(1, min(steps, math.floor(affordable)))


def seconds_of(step: Callable[[], object]) -> float:
    """Return how long `step` takes, the mean of `TIMED_STEPS` but the first."""
    step()
    began = perf_counter()
    for _ in range(TIMED_STEPS - 1):
        step()
    return (perf_counter() - began) / (TIMED_STEPS - 1)
