"""A teacher is a model of the registry."""

import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.errors import UsageError
from vsearch_lib.models.registry import read_card
from vsearch_lib.storage import open_store
from vsearch_lib.training.teacher import teacher_of


def taught_by(settings, version: str):
    return load_settings("demo", [f"var={settings.var}", f"training.teacher={version}", "training.keep_frozen=1"])


def test_by_default_nobody_teaches(settings):
    assert teacher_of(settings) is None


def test_a_teacher_is_a_registered_model(catalogue, settings):
    catalogue.model("m2", seed=2)
    assert teacher_of(taught_by(settings, "m1")) == read_card(open_store(settings.models.uri), "m1")


def test_an_unknown_teacher_is_refused_with_the_known_models(catalogue, settings):
    catalogue.model("m2", seed=2)
    with pytest.raises(UsageError, match=r"training\.teacher = m3: \S+ has no such model; it has m2, m1$"):
        teacher_of(taught_by(settings, "m3"))


def test_without_any_model_a_teacher_is_refused(settings):
    with pytest.raises(UsageError, match=r"no such model; it has no model at all$"):
        teacher_of(taught_by(settings, "m1"))


def test_a_teacher_from_whom_nothing_is_learnt_is_refused(catalogue, settings):
    chosen = load_settings("demo", [f"var={settings.var}", "training.teacher=m1"])
    with pytest.raises(UsageError, match=r"training\.teacher has no effect: set training\.keep_frozen, "):
        teacher_of(chosen)
