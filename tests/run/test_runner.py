"""The steps of a local run: two at a time, each after those it waits for; after a failure no other begins."""

from __future__ import annotations

import threading
import time

import pytest

from vsearch_lib.errors import VsearchError
from vsearch_lib.run.runner import StepResult, run_steps
from vsearch_lib.steps import GRAPHS, Step, in_order

NIGHT = in_order(GRAPHS["nightly"])


def test_a_step_begins_when_those_it_waits_for_have_ended_and_at_most_two_run_at_once():
    ended: list[str] = []
    running: set[str] = set()
    most = 0

    def run(step: Step) -> StepResult:
        nonlocal most
        assert set(step.after) <= set(ended)
        running.add(step.name)
        time.sleep(0.01)  # for a third step to begin
        most = max(most, len(running))
        running.remove(step.name)
        ended.append(step.name)
        return StepResult(step, [], [], 0.0, 0.0)

    results = list(run_steps(NIGHT, run))
    assert sorted(result.step.name for result in results) == sorted(step.name for step in NIGHT)
    assert most == 2


def test_two_steps_that_do_not_wait_for_each_other_run_at_the_same_time():
    both = threading.Barrier(2, timeout=60)

    def run(step: Step) -> StepResult:
        both.wait()
        return StepResult(step, [], [], 0.0, 0.0)

    assert len(list(run_steps([Step("one", "m", "does"), Step("other", "m", "does")], run))) == 2


@pytest.mark.parametrize("error", [VsearchError("full"), SystemExit(1)])
def test_after_a_failure_the_running_step_ends_and_no_other_begins(error):
    begun, ended, failed = [], [], threading.Event()

    def run(step: Step) -> StepResult:
        begun.append(step.name)
        if step.name == "fails":
            failed.set()
            raise error
        assert failed.wait(60)
        ended.append(step.name)
        return StepResult(step, [], [], 0.0, 0.0)

    steps = [Step("fails", "m", "does"), Step("runs", "m", "does"), Step("waits", "m", "does", after=("runs",))]
    with pytest.raises(type(error)) as raised:
        list(run_steps(steps, run))
    assert raised.value is error
    assert sorted(begun) == ["fails", "runs"]
    assert ended == ["runs"]
