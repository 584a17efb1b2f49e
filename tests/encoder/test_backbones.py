"""Backbones are built by name, give one vector for each picture, and state their preprocessing."""

from __future__ import annotations

import pytest
import torch

from vsearch_lib.encoder.backbones import build, check_name
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.errors import UsageError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CENTRED = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("name", "width", "preprocessing"),
    [
        ("small", 256, Preprocessing(64, *CENTRED)),
        ("tf_efficientnet_lite0", 1280, Preprocessing(224, *CENTRED)),
        ("resnet18", 512, Preprocessing(224, *IMAGENET)),
        ("resnet50", 2048, Preprocessing(224, *IMAGENET)),
        ("mobilenet_v2", 1280, Preprocessing(224, *IMAGENET)),
        ("mobilenetv3_small_050", 1024, Preprocessing(224, *IMAGENET)),
        ("vit_tiny_patch16_224", 192, Preprocessing(224, *CENTRED)),
        ("convnext_atto", 320, Preprocessing(224, *IMAGENET)),
        ("swin_t", 768, Preprocessing(224, *IMAGENET)),
    ],
)
def test_a_backbone_has_the_width_and_preprocessing_that_its_authors_state(name, width, preprocessing):
    features = build(name)
    with torch.inference_mode():
        pooled = features.network.eval()(torch.zeros(2, 3, preprocessing.side, preprocessing.side))
    assert pooled.shape == (2, width)
    assert features.width == width
    assert features.preprocessing == preprocessing


def test_the_small_network_has_less_than_two_million_parameters():
    parameters = sum(p.numel() for p in build("small").network.parameters())
    assert 1.9e6 < parameters < 2e6


@pytest.mark.parametrize("name", ["small", "resnet18", "vit_tiny_patch16_224"])
def test_a_backbone_can_be_built_for_squares_of_another_size(name):
    features = build(name, side=96)
    assert features.preprocessing.side == 96
    with torch.inference_mode():
        assert features.network.eval()(torch.zeros(1, 3, 96, 96)).shape == (1, features.width)


def test_a_size_that_a_backbone_cannot_take_is_refused_in_one_line():
    with pytest.raises(UsageError, match=r"model\.backbone = vit_b_16 does not take squares of 96 pixels") as refused:
        build("vit_b_16", side=96)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["resnet5O", "efficientnet_lite9", "../small", "Small"])
def test_an_unknown_backbone_is_refused_with_similar_names(name):
    with pytest.raises(UsageError, match=r"no such backbone; similar: \w+, ") as refused:
        check_name(name)
    assert "\n" not in str(refused.value)


def test_the_error_for_a_misspelt_name_has_the_right_name_once():
    with pytest.raises(UsageError, match=r"resnet50,") as refused:
        check_name("resnet5O")
    assert str(refused.value).count(" resnet50,") == 1


def test_a_backbone_whose_classifier_is_not_linear_is_refused():
    with pytest.raises(UsageError, match=r"squeezenet1_0: its classifier is not a linear layer"):
        build("squeezenet1_0")


def test_an_unknown_tag_of_a_known_backbone_is_refused_in_one_line():
    with pytest.raises(UsageError, match=r"model\.backbone = resnet50\.typo: .*tag") as refused:
        check_name("resnet50.typo")
    assert "\n" not in str(refused.value)
