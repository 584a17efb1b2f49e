"""Trainings of the same preparation do not influence each other, and leave nothing behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.judged_catalogue import look_alike
from tests.support.small_training import PICTURES, QUERIES, SCENES, small_training
from vsearch_lib.context import StepContext
from vsearch_lib.errors import VsearchError
from vsearch_lib.training.start import Start
from vsearch_lib.training.trained import train_once, validation_recalls


@pytest.fixture
def run(settings, lake, tmp_path):
    return small_training(StepContext(settings, lake, lake.run_id, say=lambda _: None), tmp_path)


@pytest.fixture
def training(settings):
    return settings.training.model_copy(update={"epochs": 3, "batch_size": 16, "learning_rate": 0.1})


def checkpoints(settings) -> list[Path]:
    return list(Path(settings.lake.uri, "training_snapshots").rglob("checkpoints/*"))


def test_every_training_begins_with_the_same_weights(run, training):
    before = run.start.encoder.projection.axes.detach().clone()
    first, second = (train_once(run, training) for _ in range(2))
    assert first.curve == second.curve
    assert torch.equal(first.encoder.projection.axes, second.encoder.projection.axes)
    assert torch.equal(run.start.encoder.projection.axes, before)
    assert not torch.equal(first.encoder.projection.axes, before)
    other = train_once(run, training.model_copy(update={"learning_rate": 0.0001}))
    assert other.curve.recall_at_start == first.curve.recall_at_start
    assert other.curve.epochs != first.curve.epochs


def test_the_recalls_of_the_queries_have_the_best_recall_of_the_curve_as_mean(run, training):
    trained = train_once(run, training)
    assert trained.curve.best > 0
    assert np.mean(validation_recalls(run, trained.encoder)) == pytest.approx(trained.curve.best_recall)
    assert np.mean(validation_recalls(run, run.start.encoder)) == pytest.approx(trained.curve.recall_at_start)


def test_the_recalls_of_a_whole_network_have_the_best_recall_of_the_curve_as_mean(run, training):
    pictures = [look_alike(i % SCENES, i) for i in range(PICTURES)]
    material = replace(run.material, features=None, validation_jpegs=pictures)
    whole = replace(run, depth="full", start=Start(run.start.encoder, None, None), material=material)
    trained = train_once(whole, training.model_copy(update={"epochs": 1, "learning_rate": 0.01}))
    recalls = validation_recalls(whole, trained.encoder)
    assert len(recalls) == QUERIES
    assert np.mean(recalls) == pytest.approx(trained.curve.best_recall)
    assert 0 < np.mean(recalls) < 1


def test_a_training_that_comes_to_nothing_leaves_no_checkpoint_but_an_interrupted_one_does(run, training, settings):
    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_once(replace(run, context=replace(run.context, progress=interrupt)), training)
    assert len(checkpoints(settings)) == 1
    broken = replace(run.material, features=np.full_like(run.material.features, np.nan))
    with pytest.raises(VsearchError, match="its loss is no number"):
        train_once(replace(run, material=broken), training)
    assert checkpoints(settings) == []
