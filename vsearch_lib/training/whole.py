"""Training of the whole network on random views of pictures."""

import warnings
from collections import defaultdict
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
    from timm.models import group_parameters

LEARNING_RATE = 0.001
# A pretrained backbone needs small steps, a new projection large ones.
PRETRAINED_RATE = 0.3
PRETRAINED_VIEWS = 0.3  # strength of the views
_VALIDATED_AT_ONCE = 32


def whole_trainee(
    encoder: Encoder,
    *,
    learning_rate: float | None,
    frozen_layers: float,
    layer_decay: float,
    pretrained: bool,
    validation: Sequence[bytes],
    relevant: NDArray[np.bool_],
) -> Trainee:
    """Return the encoder, ready to be trained in the memory layout that processors convolve fastest.

    Args:
        encoder: with random or pretrained weights; the BatchNorm statistics of a pretrained encoder do not change.
        learning_rate: of the projection, and of a backbone with random weights; None for `LEARNING_RATE`.
        frozen_layers: share of a pretrained backbone's layers, from the first on, that are not trained: what they see
            hardly differs from one catalogue to another, and without their backward pass a step takes half of the time.
        layer_decay: the rate of a layer of a pretrained backbone, divided by that of the next one (Bao et al. 2021,
            "BEiT").
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
        _by_layer(encoder.backbone, rate * PRETRAINED_RATE, frozen_layers, layer_decay)
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


def _by_layer(backbone: nn.Module, rate: float, frozen_layers: float, layer_decay: float) -> Rates:
    """Return the weights that are trained, by layer if timm knows the layers; the last layer has `rate`."""
    if not hasattr(backbone, "group_matcher"):  # a network that timm does not know
        return [(list(backbone.parameters()), rate)]
    matcher = backbone.group_matcher()  # type: ignore[operator]
    layer_of: dict[str, int] = group_parameters(backbone, matcher, reverse=True)
    last = max(layer_of.values())
    weights_of = defaultdict(list)
    for name, weight in backbone.named_parameters():
        if layer_of[name] < int(frozen_layers * (last + 1)):
            weight.requires_grad_(False)
        else:
            weights_of[layer_of[name]].append(weight)
    return [(weights_of[layer], rate * layer_decay ** (last - layer)) for layer in sorted(weights_of)]


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
