"""Each file of `jobs/` runs the step that it is named after, and holds nothing else."""

import runpy

import pytest

from vsearch_lib.config import PROJECT
from vsearch_lib.run.bodies import body_of
from vsearch_lib.steps import STEPS

JOBS = {file.stem: file for file in (PROJECT / "jobs").glob("*.py")}


def test_every_step_has_a_job_and_every_job_a_step():
    assert JOBS.keys() == STEPS.keys()


@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_job_runs_the_step_that_it_is_named_after(name, monkeypatch):
    bodies = []
    monkeypatch.setattr("vsearch_lib.run.main.main", bodies.append)
    runpy.run_path(str(JOBS[name]), run_name="__main__")
    assert bodies == [body_of(name)]
    assert body_of(name).__doc__


@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_job_is_no_longer_than_fifteen_lines(name):
    assert len(JOBS[name].read_text().splitlines()) <= 15
