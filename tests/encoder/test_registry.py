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
from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.network import Encoder, untrained
from vsearch_lib.encoder.pixels import to_square
from vsearch_lib.encoder.registration import register
from vsearch_lib.encoder.registry import (
    Card,
    Recipe,
    check_unchanged,
    load_model,
    newest,
    read_card,
    recipe_of,
)
from vsearch_lib.encoder.weights import load_encoder, load_initial_weights
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.storage import open_store

FILES = ("model.safetensors", "graph.xml", "graph.bin")
RECIPE = Recipe("small", 16, 64, None)
MOBILENET = PROJECT.parent / "shared" / "data" / "weights" / "mobilenet_v2.safetensors"


def put(uri: Path, version: str, recipe: Recipe = RECIPE, seed: int = 1) -> Encoder:
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=seed)
    training = {"steps": 3, "last_loss": 0.5}
    register(
        str(uri),
        encoder,
        version=version,
        recipe=recipe,
        run_id="run-1",
        training_snapshot="v1-snapshot",
        training=training,
    )
    return encoder


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_model_comes_back_with_its_card(tmp_path):
    put(tmp_path, "m1")
    files = {name: sha256(tmp_path / "m1" / name) for name in FILES}
    card = Card("m1", RECIPE, 16, files, "v1-snapshot", "run-1", {"steps": 3, "last_loss": 0.5})
    assert load_model(str(tmp_path), "m1").card == card


def test_the_graph_embeds_as_the_network_that_was_put_in(tmp_path, pictures):
    encoder = put(tmp_path, "m1")
    squares = torch.stack([torch.from_numpy(to_square(p, 64).transpose(2, 0, 1).copy()) for p in pictures])
    with torch.inference_mode():
        expected = encoder.eval()(squares).numpy()
    model = load_model(str(tmp_path), "m1")
    found = Embedder(model.graph, batch_size=4).embed(pictures)
    assert (found * expected).sum(axis=1).min() > 0.999
    again = load_encoder(str(tmp_path), model.card)
    assert not again.training
    with torch.inference_mode():
        np.testing.assert_array_equal(again(squares).numpy(), expected)


def test_a_model_without_a_projection_comes_back(tmp_path):
    put(tmp_path, "m1", Recipe("small", None, 64, None))
    model = load_model(str(tmp_path), "m1")
    assert model.card.dimension == Embedder(model.graph, batch_size=1).dimension == 256


def test_files_are_safetensors_openvino_and_json(tmp_path):
    encoder = put(tmp_path, "m1")
    assert sorted(file.name for file in (tmp_path / "m1").iterdir()) == sorted([*FILES, "card.json"])
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
    put(tmp_path, "m1", seed=1)
    before = (tmp_path / "m1" / "model.safetensors").read_bytes()
    put(tmp_path, "m1", seed=2)
    assert (tmp_path / "m1" / "model.safetensors").read_bytes() == before
    load_model(str(tmp_path), "m1")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_differs_from_the_card_is_refused_by_name(tmp_path, name):
    put(tmp_path, "m1")
    file = tmp_path / "m1" / name
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    with pytest.raises(ArtefactError, match=rf"{name} is not what its card says"):
        load(tmp_path, name)


def load(models: Path, name: str) -> None:
    """Load what the file `name` is for."""
    if name == "model.safetensors":
        load_encoder(str(models), read_card(open_store(str(models)), "m1"))
    else:
        load_model(str(models), "m1")


def test_weights_of_another_architecture_than_the_cards_are_refused(tmp_path):
    encoder = untrained("small", dimension=8, seed=1)
    card = register(str(tmp_path), encoder, version="m1", recipe=RECIPE, run_id="run-1")
    with pytest.raises(ArtefactError, match="do not fit the card"):
        load_encoder(str(tmp_path), card)


@pytest.mark.parametrize("name", [*FILES, "card.json"])
def test_a_model_with_a_file_missing_is_refused_by_name(tmp_path, name):
    put(tmp_path, "m1")
    (tmp_path / "m1" / name).unlink()
    with pytest.raises(ArtefactError, match=name):
        load(tmp_path, name)


@pytest.mark.parametrize("name", ["graph.xml", "graph.bin", "card.json"])
def test_a_model_that_changes_while_it_is_used_is_noticed(tmp_path, name):
    put(tmp_path, "m1")
    card = load_model(str(tmp_path), "m1").card
    check_unchanged(str(tmp_path), card)
    file = tmp_path / "m1" / name
    changed = json.dumps({**json.loads(file.read_text()), "run_id": "other"}).encode() if name == "card.json" else b"x"
    file.write_bytes(changed)
    with pytest.raises(ArtefactError, match=name):
        check_unchanged(str(tmp_path), card)


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{}", b'{"recipe": {}}', b"\xff\xfe\xff", b'{"recipe": null}'])
def test_a_card_that_is_none_is_refused(tmp_path, content):
    put(tmp_path, "m1")
    (tmp_path / "m1" / "card.json").write_bytes(content)
    with pytest.raises(ArtefactError, match="is not a model card"):
        read_card(open_store(str(tmp_path)), "m1")


def test_newest_is_the_last_of_the_recipe_that_was_asked_for(tmp_path):
    other = replace(RECIPE, input_size=96)
    put(tmp_path, "20260301T000000Z-a")
    put(tmp_path, "20260303T000000Z-c")
    put(tmp_path, "20260302T000000Z-b")
    put(tmp_path, "20260304T000000Z-d", other)
    assert newest(str(tmp_path), RECIPE).version == "20260303T000000Z-c"
    assert newest(str(tmp_path), other).version == "20260304T000000Z-d"
    assert newest(str(tmp_path), replace(RECIPE, initial_weights_sha256="0" * 64)) is None


def test_weights_without_a_card_are_no_model(tmp_path):
    put(tmp_path, "20260301T000000Z-a")
    put(tmp_path, "20260302T000000Z-b")
    (tmp_path / "20260302T000000Z-b" / "card.json").unlink()
    assert newest(str(tmp_path), RECIPE).version == "20260301T000000Z-a"


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
