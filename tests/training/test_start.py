"""A training starts from the configured weights, or from those of the model in use if it is of the same recipe."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import torch

from tests.support.small_model import SMALL, small_graph
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.encoder.network import Encoder, untrained
from vsearch_lib.errors import UsageError
from vsearch_lib.models.promotion import promote
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Card, read_card, recipe_of
from vsearch_lib.models.weights import load_encoder
from vsearch_lib.run.bodies import body_of
from vsearch_lib.storage import open_store
from vsearch_lib.training.start import Start, choose_start

CONTINUED = "training.start=model_in_use"
# Steps that are too short to change a weight.
NO_STEPS = "training.learning_rate=1e-30"


def start_of(lake, settings, *overrides: str, depth: str = "full") -> tuple[Encoder, Start]:
    """The network with its initial weights, and what a training of `depth` starts from."""
    chosen = load_settings("demo", [f"var={settings.var}", *SMALL, *overrides])
    recipe = recipe_of(chosen)
    initial = untrained(recipe.backbone, dimension=recipe.dimension, seed=7, side=recipe.input_size)
    bare = replace(recipe, dimension=None, training="none")
    backbone = Card("bare", bare, initial.preprocessing, dimension=256, files={}, training_snapshot=None, run_id="r")
    context = StepContext(chosen, lake, "run", say=lambda _: None)
    return initial, choose_start(context, initial, recipe, backbone, depth)


def same_weights(one: Encoder, other: Encoder) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.allclose(ours[name], theirs[name]) for name in ours)


def test_a_training_starts_from_the_configured_weights_by_default(catalogue, lake, settings):
    initial, start = start_of(lake, settings)
    assert start.encoder is initial
    assert (start.parent, start.is_usable) == (None, False)


def test_without_a_model_in_use_a_training_starts_from_the_configured_weights(lake, settings):
    initial, start = start_of(lake, settings, CONTINUED)
    assert start.encoder is initial
    assert (start.parent, start.is_usable) == (None, False)


def test_a_training_that_continues_the_model_in_use_starts_from_its_weights(catalogue, lake, settings):
    initial, start = start_of(lake, settings, CONTINUED)
    assert start.parent == read_card(open_store(settings.models.uri), "m1")
    assert same_weights(start.encoder, untrained("small", dimension=128, seed=1))
    assert not same_weights(start.encoder, initial)
    assert start.is_usable
    assert start.sample is None  # features of the frozen backbone are not those of this network


@pytest.mark.parametrize("setting", ["model.dimension=64", "model.input_size=96", "model.backbone=resnet18"])
def test_a_model_in_use_of_another_recipe_is_refused(catalogue, lake, settings, setting):
    store = open_store(settings.models.uri)
    promote(settings.models.uri, read_card(store, "m1"), run_id="by hand", now=datetime.now(UTC))
    name = setting.split("=")[0].replace(".", r"\.")
    with pytest.raises(UsageError, match=rf"m1 was made with another {name}; set what its card says, or training\."):
        start_of(lake, settings, CONTINUED, setting)


def test_a_head_cannot_continue_a_model_whose_backbone_was_trained(catalogue, lake, settings):
    with pytest.raises(UsageError, match=r"the backbone of m1 was trained, .* set training\.depth = full, or"):
        start_of(lake, settings, CONTINUED, depth="head")


def retrained(catalogue, *overrides: str) -> Card:
    """Train on the newest examples; return the card of the new model."""
    settings = load_settings("demo", [f"var={catalogue.settings.var}", *overrides])
    lake = catalogue.lake
    context = StepContext(settings, lake, lake.run_id, say=lambda _: None)
    for step in ("build_training_examples", "train_encoder"):
        body_of(step)(context, retrain=True)
    return read_card(open_store(settings.models.uri), context.made["model"])


def test_a_head_that_continues_the_model_in_use_and_learns_nothing_makes_no_model(judged):
    chosen = (*judged.weights, "training.depth=head", "training.epochs=2", "examples.validation_share=0.3")
    settings = load_settings("demo", [f"var={judged.settings.var}", *chosen])
    parent = untrained("small", dimension=16, seed=5)  # has the backbone of the configured weights
    register(
        settings.models.uri,
        parent,
        version="20240506T000000Z-parent",
        recipe=recipe_of(settings),
        run_id="run-0",
        graph=small_graph(seed=5),
    )
    lake, said = judged.lake, []
    continued = load_settings("demo", [f"var={judged.settings.var}", *chosen, CONTINUED, NO_STEPS])
    context = StepContext(continued, lake, lake.run_id, say=said.append)
    body_of("build_training_examples")(context, retrain=True)
    assert body_of("train_encoder")(context, retrain=True) == []
    assert "model" not in context.made
    assert "train_encoder: the training starts from the weights of 20240506T000000Z-parent, the model in use" in said
    assert "nothing was learnt, and no new model is registered" in said[-1]


def test_a_whole_network_that_continues_the_model_in_use_keeps_its_batch_statistics(catalogue, jpegs):
    catalogue.land(jpegs)
    whole = (*SMALL, "training.epochs=1", "training.batch_size=8")
    trained = load_encoder(catalogue.settings.models.uri, retrained(catalogue, *whole, CONTINUED, NO_STEPS))
    assert same_weights(trained, untrained("small", dimension=128, seed=1))  # those of the model in use
