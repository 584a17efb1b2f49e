"""Backbones give pooled features of the width they state."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from vsearch_lib.config import PROJECT
from vsearch_lib.encoder.backbones import build

WEIGHTS = PROJECT.parent / "shared" / "data" / "weights" / "mobilenet_v2.safetensors"


@pytest.mark.parametrize(("name", "width"), [("small", 256), ("mobilenet_v2", 1280), ("resnet18", 512)])
def test_features_have_the_stated_width(name, width):
    features = build(name)
    with torch.inference_mode():
        pooled = features.network.eval()(torch.zeros(2, 3, 64, 64))
    assert pooled.shape == (2, width)
    assert features.width == width


def test_resnet50_is_2048_wide():
    assert build("resnet50").width == 2048


@pytest.mark.parametrize(
    ("name", "black", "white"), [("small", [-1, -1, -1], [1, 1, 1]), ("resnet18", [-2.118, -2.036, -1.804], None)]
)
def test_normalisation_is_the_one_the_weights_were_trained_with(name, black, white):
    features = build(name)
    mean, std = torch.tensor(features.mean), torch.tensor(features.std)
    torch.testing.assert_close((0 - mean) / std, torch.tensor(black, dtype=torch.float32), atol=1e-3, rtol=0)
    if white:
        torch.testing.assert_close((1 - mean) / std, torch.tensor(white, dtype=torch.float32))


def test_the_small_network_has_less_than_two_million_parameters():
    parameters = sum(p.numel() for p in build("small").network.parameters())
    assert 1.9e6 < parameters < 2e6


@pytest.mark.skipif(not WEIGHTS.is_file(), reason="../shared/data/weights is not here: no ImageNet weights to load")
def test_mobilenet_takes_every_imagenet_weight_but_the_classifiers():
    state = load_file(WEIGHTS)
    missing, unexpected = build("mobilenet_v2").network.load_state_dict(state, strict=False)
    assert missing == []
    assert {name.split(".")[0] for name in unexpected} == {"classifier"}
