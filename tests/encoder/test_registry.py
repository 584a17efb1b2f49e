"""The registry gives back the model that was put in, or says why it cannot."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vsearch_lib.config import PROJECT, load_settings
from vsearch_lib.encoder.embed import embed, prepare
from vsearch_lib.encoder.network import Encoder, untrained
from vsearch_lib.encoder.registry import (
    Card,
    Recipe,
    current_model,
    load_initial_weights,
    load_model,
    newest,
    read_card,
    recipe_of,
    save_model,
    serialise,
)
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.storage import open_store

RECIPE = Recipe("small", 16, 64, None)
MOBILENET = PROJECT.parent / "shared" / "data" / "weights" / "mobilenet_v2.safetensors"


def register(uri: Path, version: str, recipe: Recipe = RECIPE, seed: int = 1) -> Encoder:
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=seed)
    weights = hashlib.sha256(serialise(encoder)).hexdigest()
    save_model(
        str(uri), encoder, Card(version, recipe, weights, "v1-snapshot", "run-1", {"steps": 3, "last_loss": 0.5})
    )
    return encoder


def test_a_model_comes_back_with_its_card_and_the_same_vectors(tmp_path, pictures):
    encoder = register(tmp_path, "m1")
    model = load_model(str(tmp_path), "m1")
    assert model.card == Card(
        "m1",
        RECIPE,
        hashlib.sha256((tmp_path / "m1" / "model.safetensors").read_bytes()).hexdigest(),
        "v1-snapshot",
        "run-1",
        {"steps": 3, "last_loss": 0.5},
    )
    assert not model.encoder.training
    np.testing.assert_array_equal(
        embed(prepare(model.encoder), pictures, side=64), embed(prepare(encoder), pictures, side=64)
    )


def test_a_model_laid_out_for_inference_is_stored_as_the_same_bytes():
    encoder = untrained("small", dimension=16, seed=1)
    before = serialise(encoder)
    assert serialise(prepare(encoder)) == before


def test_a_model_without_a_projection_comes_back(tmp_path):
    register(tmp_path, "m1", Recipe("small", None, 64, None))
    assert load_model(str(tmp_path), "m1").encoder.dimension == 256


def test_files_are_safetensors_and_json(tmp_path):
    encoder = register(tmp_path, "m1")
    assert sorted(file.name for file in (tmp_path / "m1").iterdir()) == ["card.json", "model.safetensors"]
    stored = load_file(tmp_path / "m1" / "model.safetensors")
    assert torch.equal(stored["projection.weight"], encoder.state_dict()["projection.weight"])
    card = json.loads((tmp_path / "m1" / "card.json").read_text())
    assert card["recipe"] == {
        "backbone": "small",
        "dimension": 16,
        "input_size": 64,
        "initial_weights_sha256": None,
    }


def test_a_registered_model_never_changes(tmp_path):
    register(tmp_path, "m1", seed=1)
    before = (tmp_path / "m1" / "model.safetensors").read_bytes()
    register(tmp_path, "m1", seed=2)
    assert (tmp_path / "m1" / "model.safetensors").read_bytes() == before
    load_model(str(tmp_path), "m1")


def test_weights_that_differ_from_the_card_are_refused(tmp_path):
    register(tmp_path, "m1")
    weights = tmp_path / "m1" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ArtefactError, match="sha256 differs"):
        load_model(str(tmp_path), "m1")


def test_weights_of_another_architecture_than_the_cards_are_refused(tmp_path):
    weights = hashlib.sha256(serialise(untrained("small", dimension=8, seed=1))).hexdigest()
    save_model(str(tmp_path), untrained("small", dimension=8, seed=1), Card("m1", RECIPE, weights, None, "run-1", {}))
    with pytest.raises(ArtefactError, match="do not fit the card"):
        load_model(str(tmp_path), "m1")


@pytest.mark.parametrize("missing", ["model.safetensors", "card.json"])
def test_a_model_with_a_file_missing_is_refused_by_name(tmp_path, missing):
    register(tmp_path, "m1")
    (tmp_path / "m1" / missing).unlink()
    with pytest.raises(ArtefactError, match=missing):
        load_model(str(tmp_path), "m1")


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{}", b'{"recipe": {}}', b"\xff\xfe\xff", b'{"recipe": null}'])
def test_a_card_that_is_none_is_refused(tmp_path, content):
    register(tmp_path, "m1")
    (tmp_path / "m1" / "card.json").write_bytes(content)
    with pytest.raises(ArtefactError, match="is not a model card"):
        read_card(open_store(str(tmp_path)), "m1")


def test_newest_is_the_last_of_the_recipe_that_was_asked_for(tmp_path):
    other = replace(RECIPE, input_size=96)
    register(tmp_path, "20260301T000000Z-a")
    register(tmp_path, "20260303T000000Z-c")
    register(tmp_path, "20260302T000000Z-b")
    register(tmp_path, "20260304T000000Z-d", other)
    assert newest(str(tmp_path), RECIPE).version == "20260303T000000Z-c"
    assert newest(str(tmp_path), other).version == "20260304T000000Z-d"
    assert newest(str(tmp_path), replace(RECIPE, initial_weights_sha256="0" * 64)) is None


def test_weights_without_a_card_are_no_model(tmp_path):
    register(tmp_path, "20260301T000000Z-a")
    register(tmp_path, "20260302T000000Z-b")
    (tmp_path / "20260302T000000Z-b" / "card.json").unlink()
    assert newest(str(tmp_path), RECIPE).version == "20260301T000000Z-a"


def test_without_a_model_the_error_says_which_job_makes_one(settings):
    with pytest.raises(ArtefactError, match="run train_encoder"):
        current_model(settings)


def test_the_current_model_is_the_newest_of_the_configured_recipe(settings):
    register(Path(settings.models.uri), "20260301T000000Z-a", recipe_of(settings))
    register(Path(settings.models.uri), "20260302T000000Z-b")
    assert current_model(settings).version == "20260301T000000Z-a"


def test_without_training_a_recipe_has_no_projection(tmp_path):
    trained = load_settings("demo", [f"var={tmp_path}"])
    untouched = load_settings("demo", [f"var={tmp_path}", "training.epochs=0"])
    assert recipe_of(trained).dimension == trained.model.dimension
    assert recipe_of(untouched).dimension is None


def test_a_recipe_names_its_initial_weights_by_content(tmp_path):
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"abc")
    recipe = recipe_of(load_settings("demo", [f"var={tmp_path}", f"model.weights={weights}"]))
    assert recipe.initial_weights_sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_initial_weights_replace_the_backbones(tmp_path):
    source = untrained("small", dimension=8, seed=1)
    classifier = {"classifier.weight": torch.zeros(3, 3)}
    save_file({**source.backbone.state_dict(), **classifier}, tmp_path / "w.safetensors")
    encoder = untrained("small", dimension=8, seed=2)
    projection = encoder.projection.weight.clone()
    load_initial_weights(encoder, str(tmp_path / "w.safetensors"))
    for name, value in source.backbone.state_dict().items():
        assert torch.equal(encoder.backbone.state_dict()[name], value)
    assert torch.equal(encoder.projection.weight, projection)


@pytest.mark.parametrize("content", ["another architecture", "other sizes", "not safetensors", "no file", "a folder"])
def test_initial_weights_that_do_not_fit_are_a_usage_error_in_one_line(tmp_path, content):
    weights = tmp_path / "w.safetensors"
    encoder = untrained("small", dimension=8, seed=2)
    match content:
        case "another architecture":
            save_file(untrained("resnet18", dimension=8, seed=1).backbone.state_dict(), weights)
        case "other sizes":
            state = encoder.backbone.state_dict()
            save_file({**state, "stem.0.0.weight": state["stem.0.0.weight"][:, :1].clone()}, weights)
        case "not safetensors":
            weights.write_bytes(b"pickle" * 100)
        case "a folder":
            weights.mkdir()
    with pytest.raises(UsageError, match=r"model\.weights = .*w\.safetensors") as refused:
        load_initial_weights(encoder, str(weights))
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(not MOBILENET.is_file(), reason="../shared/data/weights is not here: no ImageNet weights to load")
def test_imagenet_weights_load_into_mobilenet():
    encoder = untrained("mobilenet_v2", dimension=None, seed=1)
    load_initial_weights(encoder, str(MOBILENET))
    expected = load_file(MOBILENET)["features.0.0.weight"]
    assert torch.equal(encoder.backbone.state_dict()["features.0.0.weight"], expected)
