"""Every point is trained once, however often the search is interrupted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.small_training import QUERIES, small_training
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.errors import VsearchError
from vsearch_lib.tuning.training.plan import Plan, plan
from vsearch_lib.tuning.training.search import try_all
from vsearch_lib.tuning.training.space import parse_space

RATES = "training.learning_rate=0.0001,0.05,0.1"


class Search:
    """A search on the same preparation, which can be begun anew, with other settings, or elsewhere."""

    def __init__(self, lake, folder: Path) -> None:
        self.folder, self.said, self.began = folder, [], []
        context = StepContext(self.settings_with([]), lake, lake.run_id, say=self.said.append)
        self.run = small_training(context, folder)

    def settings_with(self, overrides: list[str]):
        base = ["training.epochs=2", "training.batch_size=16", "training.learning_rate=0.03"]
        return load_settings("demo", [f"var={self.folder}", f"cache={self.folder}/cache", *base, *overrides])

    def plan(self, attempt: str, *base: str) -> Plan:
        def settings_with(overrides: list[str]):
            return self.settings_with([*base, *overrides])

        return plan(parse_space([attempt], settings_with), None, settings_with)

    def __call__(self, attempt: str, *base: str, interrupted_at: int | None = None, **changes: object):
        context = replace(self.run.context, settings=self.settings_with([*base]))
        self.began.clear()

        def begin(_name: str, number: int, _total: int) -> None:
            if number == interrupted_at:
                raise KeyboardInterrupt
            self.began.append(number)

        run = replace(self.run, **{"context": context, **changes})
        return try_all(run, self.plan(attempt, *base), begin=begin)


@pytest.fixture
def search(lake, tmp_path):
    return Search(lake, tmp_path)


def test_an_interrupted_search_goes_on_with_what_is_left(search, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        search(RATES, interrupted_at=3)
    assert search.began == [1, 2]
    found = search(RATES)
    assert search.began == [3, 4]
    assert search.said[2] == "2 of 4 trials were done by an earlier run"
    assert search(RATES) == found
    assert search.began == []

    assert found.trials[0].point == ()
    rates = [dict(trial.point)["training.learning_rate"] for trial in found.trials[1:]]
    assert sorted(rates) == [0.0001, 0.05, 0.1]
    assert all(len(trial.outcome.recalls) == QUERIES for trial in found.trials)
    assert found.best.outcome.best_recall == max(trial.outcome.best_recall for trial in found.trials)
    assert found.best.outcome.best_recall > found.best.outcome.recall_at_start

    unbroken = search(RATES, f"cache={tmp_path}/other")
    assert search.began == [1, 2, 3, 4]
    assert [trial.outcome.recalls for trial in unbroken.trials] == [trial.outcome.recalls for trial in found.trials]


def test_another_search_does_not_use_the_outcomes_of_this_one(search):
    search(RATES)
    relevant = search.run.validation.relevant.copy()
    relevant[0, 1] = not relevant[0, 1]
    for base, changes in (
        (["training.weight_decay=0.01"], {}),
        (["training.seed=18"], {}),
        ([], {"name": "s2"}),
        ([], {"validation": replace(search.run.validation, relevant=relevant)}),
        ([], {"backbone": replace(search.run.backbone, files={"model.safetensors": "1" * 64})}),
        ([], {"material": replace(search.run.material, start=b"other weights")}),
    ):
        with pytest.raises(KeyboardInterrupt):
            search(RATES, *base, interrupted_at=1, **changes)
    search("training.learning_rate=0.0001,0.01", interrupted_at=9)
    assert search.began == [1, 2, 3]


def test_a_training_that_comes_to_nothing_is_an_outcome(search):
    found = search("training.learning_rate=1e30")
    assert found.trials[1].outcome.failure.startswith("the training stopped: ")
    assert search.said[1].startswith("trial 2 of 2, training.learning_rate=1e+30: failed after ")
    assert not list(search.folder.rglob("checkpoints/*"))
    assert search("training.learning_rate=1e30") == found
    assert search.began == []


def test_configured_settings_that_come_to_nothing_end_the_search(search):
    rate = "training.learning_rate=1e30"
    with pytest.raises(VsearchError, match=r"the training stopped: .* \(with the configured settings\)"):
        search("training.dropout=0.1", rate)
    with pytest.raises(VsearchError, match="the training stopped"):
        search("training.dropout=0.1", rate)
    assert search.began == [1]


def test_too_few_judged_validation_images_are_one_line_that_says_what_to_do(search):
    with pytest.raises(VsearchError, match=r"fewer than 20 validation images, too few .* \(vsearch label next\)"):
        search(RATES, is_judged=False)
    assert search.began == []
