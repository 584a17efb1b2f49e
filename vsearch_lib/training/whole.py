"""Training of the whole network on random views of pictures."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vsearch_lib.encoder.network import Encoder
from vsearch_lib.training.device import fast_precision
from vsearch_lib.training.loop import Rates, Trainee
from vsearch_lib.training.validation import recall_of_each_query
from vsearch_lib.vectors import Vectors

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from timm.optim._param_groups import param_groups_layer_decay

LEARNING_RATE = 0.001
# A pretrained backbone needs small steps, a new projection large ones.
PRETRAINED_RATE = 0.3
PRETRAINED_VIEWS = 0.3  # strength of the views
_FROZEN_BELOW = 0.1  # of the last layer's rate: so little is learnt there that the backward pass does not pay
_VALIDATED_AT_ONCE = 32


def whole_trainee(
    encoder: Encoder,
    *,
    learning_rate: float | None,
    layer_decay: float,
    pretrained: bool,
    validation: Sequence[bytes],
    relevant: NDArray[np.bool_],
) -> Trainee:
    """Return the encoder, ready to be trained in the memory layout that processors convolve fastest.

    Args:
        encoder: with random or pretrained weights; the BatchNorm statistics of a pretrained encoder do not change.
        learning_rate: of the projection, and of a backbone with random weights; None for `LEARNING_RATE`.
        layer_decay: of a pretrained backbone, the rate of a layer divided by that of the next one (Bao et al. 2021,
            "BEiT"): what the first layers see hardly differs from one catalogue to another. Layers with less than a
            tenth of the last one's rate are frozen, which saves a third of the time of a step.
        pretrained: whether the backbone is.
        validation: (n) JPEGs of validation pictures.
        relevant: (queries, n) bool, as `recall_of_each_query` takes it.
    """
    rate = learning_rate or LEARNING_RATE
    projection = list(encoder.projection.parameters()) if encoder.projection is not None else []
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def start() -> None:
        encoder.train()
        if pretrained:
            freeze_batch_statistics(encoder)

    backbone = (
        _by_layer(encoder.backbone, rate * PRETRAINED_RATE, layer_decay)
        if pretrained
        else [(list(encoder.backbone.parameters()), rate)]
    )
    return Trainee(
        network=encoder,
        dimension=encoder.dimension,
        rates=[*backbone, (projection, rate)],
        start=start,
        validate=_validation(encoder, validation, relevant),
        is_usable=pretrained,
    )


def _by_layer(backbone: nn.Module, rate: float, layer_decay: float) -> Rates:
    """Return the backbone's weights, by layer if timm knows its layers; `rate` is that of the last one.

    Weights of slow layers are frozen, and not among them.
    """
    if not hasattr(backbone, "group_matcher"):  # a network that timm does not know
        return [(list(backbone.parameters()), rate)]
    groups = param_groups_layer_decay(backbone, weight_decay=0, layer_decay=layer_decay)
    for group in groups:
        if group["lr_scale"] < _FROZEN_BELOW:
            for weight in group["params"]:
                weight.requires_grad_(False)
    return [(group["params"], rate * group["lr_scale"]) for group in groups if group["lr_scale"] >= _FROZEN_BELOW]


def freeze_batch_statistics(encoder: Encoder) -> None:
    """Make the layers of batch normalisation use the statistics they have, and not change them."""
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def encoded(encoder: Encoder, jpegs: Sequence[bytes]) -> Vectors:
    """Return the unit vectors (n, dimension) of stored JPEGs; this puts `encoder` into evaluation mode."""

    def vectors(some: Sequence[bytes]) -> Tensor:
        pixels = np.stack([encoder.preprocessing.square(jpeg) for jpeg in some])
        device = encoder.mean.device
        squares = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(device, memory_format=torch.channels_last)
        with fast_precision(device):
            return encoder(squares).float().cpu()  # type: ignore[no-any-return]

    encoder.eval()
    with torch.inference_mode():
        starts = range(0, len(jpegs), _VALIDATED_AT_ONCE)
        return torch.cat([vectors(jpegs[start : start + _VALIDATED_AT_ONCE]) for start in starts]).numpy()


def _validation(
    encoder: Encoder, jpegs: Sequence[bytes], relevant: NDArray[np.bool_]
) -> Callable[[], NDArray[np.float64]]:
    def validate() -> NDArray[np.float64]:
        return recall_of_each_query(encoded(encoder, jpegs), relevant) if jpegs else np.empty(0)

    return validate
