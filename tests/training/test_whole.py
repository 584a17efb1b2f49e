"""Which weights of a pretrained network are trained, and how fast."""

from __future__ import annotations

import numpy as np
import pytest

from vsearch_lib.encoder.network import Encoder, untrained
from vsearch_lib.training.loop import Trainee
from vsearch_lib.training.whole import whole_trainee


def pretrained(encoder: Encoder, layer_decay: float) -> Trainee:
    none = np.zeros((0, 0), dtype=np.bool_)
    return whole_trainee(
        encoder, learning_rate=0.01, layer_decay=layer_decay, pretrained=True, validation=[], relevant=none
    )


def test_each_layer_has_a_smaller_rate_than_the_next_one_and_slow_layers_are_frozen():
    encoder = untrained("tf_efficientnet_lite0", dimension=16, seed=1)
    rates = pretrained(encoder, 0.8).rates
    of_layers = sorted({round(rate, 9) for _, rate in rates[:-1]})
    assert of_layers == pytest.approx([0.003 * 0.8**i for i in reversed(range(11))], rel=1e-5)
    trained = {id(weight) for weights, _ in rates for weight in weights}
    assert trained == {id(weight) for weight in encoder.parameters() if weight.requires_grad}
    assert not encoder.backbone.conv_stem.weight.requires_grad
    assert encoder.backbone.conv_head.weight.requires_grad


@pytest.mark.parametrize("backbone", ["tf_efficientnet_lite0", "small"])
def test_without_a_decay_all_weights_are_trained(backbone):
    encoder = untrained(backbone, dimension=16, seed=1)
    rates = pretrained(encoder, 1).rates
    assert {rate for _, rate in rates} == {0.003, 0.01}
    assert sum(len(weights) for weights, _ in rates) == len(list(encoder.parameters()))
