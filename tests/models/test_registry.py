"""The registry returns the model that was registered, or says why it cannot."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.support.small_model import small_graph
from vsearch_lib.encoder.network import Encoder, untrained
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.models.code_version import code_version
from vsearch_lib.models.load import check_unchanged, load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Card, Recipe, encoder_card, newest, read_card
from vsearch_lib.models.weights import load_encoder
from vsearch_lib.storage import open_store

FILES = ("model.safetensors", "graph.xml", "graph.bin", "projection.safetensors")
RECIPE = Recipe("small", "none", 16, 64, "full")
PREPROCESSING = Preprocessing(64, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def put(uri: Path, version: str, recipe: Recipe = RECIPE, seed: int = 1) -> Encoder:
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=seed, side=recipe.input_size)
    training = {"steps": 3, "last_loss": 0.5}
    register(
        str(uri),
        encoder,
        version=version,
        recipe=recipe,
        run_id="run-1",
        training_snapshot="v1-snapshot",
        training=training,
        parent="m0",
        graph=small_graph(seed=seed, side=recipe.input_size),
    )
    return encoder


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_model_is_loaded_with_its_card(tmp_path):
    put(tmp_path, "m1")
    files = {name: sha256(tmp_path / "m1" / name) for name in FILES}
    training = {"steps": 3, "last_loss": 0.5}
    card = Card("m1", RECIPE, PREPROCESSING, 16, files, "v1-snapshot", "run-1", training, "m0", code_version())
    assert load_model(str(tmp_path), "m1").card == card


def test_a_card_that_is_older_than_its_parent_and_code_version_is_still_read(tmp_path):
    put(tmp_path, "m1")
    file = tmp_path / "m1" / "card.json"
    fields = json.loads(file.read_text())
    assert fields.pop("parent") == "m0"
    assert fields.pop("code_version")
    file.write_text(json.dumps(fields))
    card = read_card(open_store(str(tmp_path)), "m1")
    assert (card.parent, card.code_version, card.training_snapshot) == (None, None, "v1-snapshot")


def test_a_bare_backbone_is_not_a_model_that_a_night_can_use(tmp_path):
    put(tmp_path, "20260301T000000Z-backbone", Recipe("small", "none", None, 64, "none"))
    with pytest.raises(UsageError, match="has no model x; it has no model at all"):
        encoder_card(str(tmp_path), "x")
    for version in ("20260302T000000Z-a", "20260303T000000Z-b"):
        put(tmp_path, version)
    assert encoder_card(str(tmp_path), "20260302T000000Z-a").version == "20260302T000000Z-a"
    with pytest.raises(UsageError, match=r"has no model .*backbone; it has 20260303T000000Z-b, 20260302T000000Z-a$"):
        encoder_card(str(tmp_path), "20260301T000000Z-backbone")


def test_the_graph_embeds_like_the_registered_network(tmp_path, pictures):
    encoder = put(tmp_path, "m1")
    squares = torch.stack([torch.from_numpy(PREPROCESSING.square(p).transpose(2, 0, 1).copy()) for p in pictures])
    with torch.inference_mode():
        expected = encoder.eval()(squares).numpy()
    model = load_model(str(tmp_path), "m1")
    vectors = model.embedder(batch_size=4).embed(pictures)
    assert (vectors * expected).sum(axis=1).min() > 0.999
    again = load_encoder(str(tmp_path), model.card)
    assert not again.training
    with torch.inference_mode():
        np.testing.assert_array_equal(again(squares).numpy(), expected)


def test_a_model_with_a_hidden_layer_embeds_like_the_registered_network(tmp_path, pictures):
    encoder = untrained("small", dimension=16, seed=1, side=64)
    encoder.add_hidden_layer(8, seed=2)
    with torch.no_grad():
        encoder.projection.outer.copy_(torch.rand(16, 8, generator=torch.Generator().manual_seed(3)))
    graph = small_graph(seed=1, side=64)
    card = register(str(tmp_path), encoder, version="m1", recipe=RECIPE, run_id="run-1", graph=graph)
    assert load_model(str(tmp_path), "m1").projection.hidden is not None
    squares = torch.stack([torch.from_numpy(PREPROCESSING.square(p).transpose(2, 0, 1).copy()) for p in pictures])
    with torch.inference_mode():
        expected = encoder.eval()(squares).numpy()
        np.testing.assert_array_equal(load_encoder(str(tmp_path), card)(squares).numpy(), expected)
    vectors = load_model(str(tmp_path), "m1").embedder(batch_size=4).embed(pictures)
    assert (vectors * expected).sum(axis=1).min() > 0.999


def test_a_model_without_a_projection_is_loaded(tmp_path):
    put(tmp_path, "m1", Recipe("small", "none", None, 64, "none"))
    model = load_model(str(tmp_path), "m1")
    assert model.card.dimension == model.embedder(batch_size=1).dimension == 256


def test_files_are_safetensors_openvino_and_json(tmp_path):
    encoder = put(tmp_path, "m1")
    assert sorted(file.name for file in (tmp_path / "m1").iterdir()) == sorted([*FILES, "card.json"])
    stored = load_file(tmp_path / "m1" / "model.safetensors")
    projection = load_file(tmp_path / "m1" / "projection.safetensors")
    for name in ("mean", "axes"):
        expected = encoder.state_dict()[f"projection.{name}"]
        assert torch.equal(stored[f"projection.{name}"], expected)
        assert torch.equal(projection[name], expected)
    card = json.loads((tmp_path / "m1" / "card.json").read_text())
    assert card["recipe"] == {
        "backbone": "small",
        "weights": "none",
        "dimension": 16,
        "input_size": 64,
        "training": "full",
    }
    assert card["preprocessing"] == {
        "side": 64,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "crop": "central square",
        "interpolation": "area",
    }


def test_a_registered_model_never_changes(tmp_path):
    put(tmp_path, "m1", seed=1)
    before = (tmp_path / "m1" / "model.safetensors").read_bytes()
    put(tmp_path, "m1", seed=2)
    assert (tmp_path / "m1" / "model.safetensors").read_bytes() == before
    load_model(str(tmp_path), "m1")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_differs_from_the_card_is_named(tmp_path, name):
    put(tmp_path, "m1")
    file = tmp_path / "m1" / name
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    with pytest.raises(ArtefactError, match=rf"{name} is not what its card says"):
        load(tmp_path, name)


def load(models: Path, name: str) -> None:
    """Load the part of the model that needs the file `name`."""
    if name == "model.safetensors":
        load_encoder(str(models), read_card(open_store(str(models)), "m1"))
    else:
        load_model(str(models), "m1")


def test_weights_that_do_not_fit_the_recipe_of_the_card_are_refused(tmp_path):
    encoder = untrained("small", dimension=8, seed=1)
    card = register(str(tmp_path), encoder, version="m1", recipe=RECIPE, run_id="run-1")
    with pytest.raises(ArtefactError, match="do not fit the card"):
        load_encoder(str(tmp_path), card)


@pytest.mark.parametrize("name", [*FILES, "card.json"])
def test_a_missing_file_of_a_model_is_named(tmp_path, name):
    put(tmp_path, "m1")
    (tmp_path / "m1" / name).unlink()
    with pytest.raises(ArtefactError, match=name):
        load(tmp_path, name)


@pytest.mark.parametrize("name", ["graph.xml", "graph.bin", "projection.safetensors", "card.json"])
def test_a_model_that_changes_while_it_is_used_is_refused(tmp_path, name):
    put(tmp_path, "m1")
    card = load_model(str(tmp_path), "m1").card
    check_unchanged(str(tmp_path), card)
    file = tmp_path / "m1" / name
    changed = json.dumps({**json.loads(file.read_text()), "run_id": "other"}).encode() if name == "card.json" else b"x"
    file.write_bytes(changed)
    with pytest.raises(ArtefactError, match=name):
        check_unchanged(str(tmp_path), card)


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{}", b'{"recipe": {}}', b"\xff\xfe\xff", b'{"recipe": null}'])
def test_a_file_that_is_not_a_card_is_refused(tmp_path, content):
    put(tmp_path, "m1")
    (tmp_path / "m1" / "card.json").write_bytes(content)
    with pytest.raises(ArtefactError, match="is not a model card"):
        read_card(open_store(str(tmp_path)), "m1")


def test_newest_returns_the_last_model_of_the_given_recipe(tmp_path):
    other = replace(RECIPE, input_size=96)
    put(tmp_path, "20260301T000000Z-a")
    put(tmp_path, "20260303T000000Z-c")
    put(tmp_path, "20260302T000000Z-b")
    put(tmp_path, "20260304T000000Z-d", other)
    assert newest(str(tmp_path), RECIPE).version == "20260303T000000Z-c"
    assert newest(str(tmp_path), other).version == "20260304T000000Z-d"
    assert newest(str(tmp_path), replace(RECIPE, weights="0" * 64)) is None


def test_weights_without_a_card_are_not_a_model(tmp_path):
    put(tmp_path, "20260301T000000Z-a")
    put(tmp_path, "20260302T000000Z-b")
    (tmp_path / "20260302T000000Z-b" / "card.json").unlink()
    assert newest(str(tmp_path), RECIPE).version == "20260301T000000Z-a"


@pytest.mark.parametrize(
    "stated", [{"crop": "whole"}, {"interpolation": "bicubic"}, {"side": 0}, {"mean": [0.5]}, {"std": [0, 1, 1]}]
)
def test_a_card_with_unsupported_preprocessing_is_refused(tmp_path, stated):
    put(tmp_path, "m1")
    file = tmp_path / "m1" / "card.json"
    card = json.loads(file.read_text())
    file.write_text(json.dumps({**card, "preprocessing": {**card["preprocessing"], **stated}}))
    with pytest.raises(ArtefactError, match="is not a model card"):
        read_card(open_store(str(tmp_path)), "m1")


def test_a_card_with_another_side_than_its_graph_is_refused(tmp_path):
    put(tmp_path, "m1")
    file = tmp_path / "m1" / "card.json"
    file.write_text(file.read_text().replace('"side": 64', '"side": 96'))
    with pytest.raises(ArtefactError, match="squares of 64 pixels, its card says 96"):
        load_model(str(tmp_path), "m1").embedder(batch_size=1)


@pytest.mark.parametrize(
    ("backbone", "weights", "mean"), [("small", None, 0.5), ("resnet18", "a" * 64, 0.485), ("mobilenet_v2", None, 0.5)]
)
def test_an_old_card_without_preprocessing_is_still_read(tmp_path, backbone, weights, mean):
    recipe = {"backbone": backbone, "dimension": None, "input_size": 96, "initial_weights_sha256": weights}
    old = {"version": "m1", "recipe": recipe, "dimension": 512, "files": {}, "training_snapshot": None}
    (tmp_path / "m1").mkdir()
    (tmp_path / "m1" / "card.json").write_text(json.dumps({**old, "run_id": "r", "training": {}}))
    card = read_card(open_store(str(tmp_path)), "m1")
    assert card.recipe == Recipe(backbone, weights or "none", None, 96, "none")
    assert (card.preprocessing.side, card.preprocessing.mean[0]) == (96, mean)
