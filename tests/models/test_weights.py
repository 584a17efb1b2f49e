"""A network starts from the weights that the settings name, or an error of one line says why it cannot."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from vsearch_lib.config import PROJECT, load_settings
from vsearch_lib.encoder import packaged
from vsearch_lib.encoder.network import untrained
from vsearch_lib.encoder.packaged import PACKAGED, packaged_file
from vsearch_lib.errors import UsageError
from vsearch_lib.models.registry import Recipe, recipe_of
from vsearch_lib.models.weights import initial_encoder

MOBILENET = PROJECT.parent / "shared" / "data" / "weights" / "mobilenet_v2.safetensors"
SMALL = Recipe("small", "none", 8, None, "full")


def recipe(backbone: str) -> Recipe:
    return Recipe(backbone, "hub", 8, None, "none")


def line(error: pytest.ExceptionInfo[UsageError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture(scope="module")
def packaged_encoder():
    return initial_encoder(recipe("tf_efficientnet_lite0"), "packaged", seed=1).eval()


def test_packaged_weights_give_the_features_of_the_network_of_the_package(packaged_encoder):
    """The whole network is loaded by hand: its classifier maps the encoder's features to its own logits."""
    whole = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    state = torch.load(packaged_file("tf_efficientnet_lite0"), weights_only=True)
    whole.load_state_dict(dict(zip(whole.state_dict(), state.values(), strict=True)))
    whole.eval()
    pictures = torch.randint(0, 256, (2, 3, 224, 224), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = whole(pictures / 127.5 - 1)
        logits = whole.classifier(packaged_encoder.features(pictures))
    torch.testing.assert_close(logits, expected)


def test_every_package_is_installed_and_its_licence_is_in_the_docs():
    page = (PROJECT / "docs" / "models.md").read_text()
    for backbone, package in PACKAGED.items():
        assert packaged_file(backbone).is_file()
        assert any(backbone in row and package.licence in row for row in page.splitlines())


def test_the_error_for_a_backbone_without_a_package_names_those_with_one():
    with pytest.raises(UsageError, match="packaged") as refused:
        initial_encoder(recipe("resnet18"), "packaged", seed=1)
    assert "tf_efficientnet_lite0" in line(refused)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x80\x04cos\nsystem\n."], ids=["empty", "cut", "pickle"])
def test_a_damaged_package_is_refused_in_one_line(tmp_path, monkeypatch, content):
    file = tmp_path / "w.pth"
    file.write_bytes(content)
    monkeypatch.setattr("vsearch_lib.models.weights.packaged_file", lambda _: file)
    with pytest.raises(UsageError, match="the package's file is damaged") as refused:
        initial_encoder(recipe("tf_efficientnet_lite0"), "packaged", seed=1)
    line(refused)


def test_a_package_that_is_not_installed_is_refused_in_one_line(monkeypatch):
    gone = packaged.Package("no_such_package", "models/w.pth", "Apache-2.0")
    monkeypatch.setitem(PACKAGED, "tf_efficientnet_lite0", gone)
    with pytest.raises(UsageError, match="no_such_package is not installed"):
        packaged_file("tf_efficientnet_lite0")


@pytest.mark.parametrize("backbone", ["tf_efficientnet_lite0", "mobilenet_v2"])
def test_an_unreachable_hub_is_an_error_of_one_line(monkeypatch, tmp_path, backbone):
    def unreachable(*_args, **_more):
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setattr("time.sleep", lambda _: None)  # between the library's own attempts
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match=r"model\.weights = hub: weights of \w+ cannot be fetched") as refused:
        initial_encoder(recipe(backbone), "hub", seed=1)
    assert "packaged needs no network" in line(refused)


def test_a_file_replaces_the_weights_of_the_backbone_and_not_the_projection(tmp_path):
    source = untrained("small", dimension=8, seed=1)
    classifier = {"classifier.weight": torch.zeros(3, 3)}
    save_file({**source.backbone.state_dict(), **classifier}, tmp_path / "w.safetensors")
    encoder = initial_encoder(SMALL, str(tmp_path / "w.safetensors"), seed=2)
    for name, value in source.backbone.state_dict().items():
        assert torch.equal(encoder.backbone.state_dict()[name], value)
    assert torch.equal(encoder.projection.axes, untrained("small", dimension=8, seed=2).projection.axes)


@pytest.mark.parametrize("content", ["another architecture", "other sizes", "not safetensors", "no file", "a folder"])
def test_a_file_that_does_not_fit_is_refused_in_one_line(tmp_path, content):
    weights = tmp_path / "w.safetensors"
    match content:
        case "another architecture":
            save_file(untrained("resnet18", dimension=8, seed=1).backbone.state_dict(), weights)
        case "other sizes":
            state = untrained("small", dimension=8, seed=2).backbone.state_dict()
            save_file({**state, "stem.0.0.weight": state["stem.0.0.weight"][:, :1].clone()}, weights)
        case "not safetensors":
            weights.write_bytes(b"pickle" * 100)
        case "a folder":
            weights.mkdir()
    with pytest.raises(UsageError, match=r"model\.weights = .*w\.safetensors") as refused:
        initial_encoder(SMALL, str(weights), seed=2)
    line(refused)


@pytest.mark.skipif(not MOBILENET.is_file(), reason="../shared/data/weights is not here: no ImageNet weights to load")
def test_weights_with_a_class_for_the_background_get_centred_pixels():
    encoder = initial_encoder(recipe("mobilenet_v2"), str(MOBILENET), seed=1)
    expected = load_file(MOBILENET)["features.0.0.weight"]
    assert torch.equal(encoder.backbone.state_dict()["features.0.0.weight"], expected)
    assert encoder.preprocessing.mean == encoder.preprocessing.std == (0.5, 0.5, 0.5)
    assert encoder.mean.flatten().tolist() == [127.5] * 3


def test_more_dimensions_than_features_are_refused():
    with pytest.raises(UsageError, match=r"model\.dimension = 512: small has 256 features"):
        initial_encoder(Recipe("small", "none", 512, None, "full"), "none", seed=1)


def chosen(tmp_path: Path, *overrides: str) -> Recipe:
    return recipe_of(load_settings("demo", [f"var={tmp_path}", *overrides]))


def test_a_recipe_has_the_sha256_of_its_initial_weights(tmp_path):
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"abc")
    named = chosen(tmp_path, f"model.weights={weights}")
    assert named.weights == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert chosen(tmp_path).weights == packaged.packaged_sha256("tf_efficientnet_lite0")
    assert chosen(tmp_path, "model.weights=none").weights == "none"


def test_a_recipe_says_how_much_is_trained(tmp_path):
    assert (chosen(tmp_path).training, chosen(tmp_path).dimension) == ("auto", 128)
    assert chosen(tmp_path, "training.depth=head").training == "head"
    assert chosen(tmp_path, "model.weights=none").training == "full"


def test_a_model_of_any_depth_fits_a_recipe_that_leaves_the_depth_open(tmp_path):
    open_depth = chosen(tmp_path)
    trained = replace(open_depth, training="head")
    assert trained.fits(open_depth)
    assert trained.fits(trained)
    assert not trained.fits(replace(trained, training="none"))
    assert not replace(trained, dimension=64).fits(open_depth)


@pytest.mark.parametrize("weights", ["null", "3"])
def test_the_error_for_invalid_weights_lists_the_valid_ones(tmp_path, weights):
    with pytest.raises(UsageError, match="packaged, hub, none, or a safetensors file"):
        chosen(tmp_path, f"model.weights={weights}")


def test_a_recipe_with_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"model\.weights = .*gone\.safetensors: no file that can be read"):
        chosen(tmp_path, f"model.weights={tmp_path}/gone.safetensors")
