"""The body of a step: the function with the step's name, in the module that the step graph names."""

from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias

from vsearch_lib.figures import Figure
from vsearch_lib.steps import STEPS

# Takes a StepContext and, as keywords, the switches of the step's Options; returns the figures that it measured.
Body: TypeAlias = Callable[..., list[Figure]]


def body_of(step: str) -> Body:
    """Return the body of the step named `step`."""
    body: Body = getattr(import_module(STEPS[step].module), step)
    return body
