"""What a step of the graph does: its body, a function of its own name in the module that the graph names."""

from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias

from vsearch_lib.figures import Figure
from vsearch_lib.steps import STEPS

# Takes a StepContext and, as keywords, the switches of the step's Options; returns what it measured.
Body: TypeAlias = Callable[..., list[Figure]]


def body_of(step: str) -> Body:
    """Return the body of the step of that name."""
    body: Body = getattr(import_module(STEPS[step].module), step)
    return body
