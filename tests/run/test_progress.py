"""The time left that a step reports is that of the part of its work that it is doing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from vsearch_lib.run import progress
from vsearch_lib.run.progress import StepProgress


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time that the progress sees, in seconds."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_second_part_of_a_step_has_a_time_left_of_its_own(clock):
    console = Console(file=io.StringIO(), width=200)
    shown = StepProgress(Progress(console=console, disable=True))
    shown.begin("train_encoder", 7, 13)
    for clock[0], done, total in ((20, 50, 200), (50, 200, 200), (60, 1, 400), (80, 41, 400)):
        shown.advance(done, total)
    assert console.file.getvalue().splitlines() == [
        "[7/13] train_encoder: 50 of 200, about 60 s left",
        "[7/13] train_encoder: 200 of 200, about 0 s left",
        f"[7/13] train_encoder: 41 of 400, about {20 / 41 * 359:.0f} s left",
    ]
