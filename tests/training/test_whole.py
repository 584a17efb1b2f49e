"""Which weights of a pretrained network are trained, and how fast."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.encoder.network import Encoder, untrained
from vsearch_lib.training.loop import Trainee
from vsearch_lib.training.whole import whole_trainee


def pretrained(encoder: Encoder, *, frozen_layers: float = 0, layer_decay: float = 1) -> Trainee:
    return whole_trainee(
        encoder,
        learning_rate=0.01,
        frozen_layers=frozen_layers,
        layer_decay=layer_decay,
        pretrained=True,
        validation=[],
        relevant=np.zeros((0, 0), dtype=np.bool_),
    )


def test_each_layer_has_a_smaller_rate_than_the_next_one():
    rates = pretrained(untrained("tf_efficientnet_lite0", dimension=16, seed=1), layer_decay=0.8).rates
    assert [rate for _, rate in rates] == pytest.approx([0.003 * 0.8**i for i in reversed(range(17))] + [0.01])


def test_the_first_layers_are_frozen():
    encoder = untrained("tf_efficientnet_lite0", dimension=16, seed=1)
    rates = pretrained(encoder, frozen_layers=0.36).rates  # of 17: the stem and the first three stages
    trained = {id(weight) for weights, _ in rates for weight in weights}
    assert trained == {id(weight) for weight in encoder.parameters() if weight.requires_grad}
    frozen = {
        name.split(".")[1]
        for name, weight in encoder.backbone.blocks.named_parameters(prefix="blocks")
        if not weight.requires_grad
    }
    assert frozen == {"0", "1", "2"}
    assert not encoder.backbone.conv_stem.weight.requires_grad
    assert all(weight.requires_grad for weight in encoder.backbone.blocks[3].parameters())


@pytest.mark.parametrize("backbone", ["tf_efficientnet_lite0", "small"])
def test_all_weights_are_trained_if_no_layer_is_frozen(backbone):
    encoder = untrained(backbone, dimension=16, seed=1)
    rates = pretrained(encoder).rates
    assert {rate for _, rate in rates} == {0.003, 0.01}
    assert sum(len(weights) for weights, _ in rates) == len(list(encoder.parameters()))
