"""Training of the whole network on random views of pictures."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vsearch_lib.encoder.network import Encoder
from vsearch_lib.examples.boxes import Boxes
from vsearch_lib.training.augment import random_views
from vsearch_lib.training.loop import Trainee, has_fast_bfloat16
from vsearch_lib.training.validation import recall
from vsearch_lib.vectors import Vectors

LEARNING_RATE = 0.001
# A pretrained backbone needs small steps, a new projection large ones. Measured on clothing photos: equal rates ruin
# the backbone.
PRETRAINED_RATE = 0.1
_VALIDATED_AT_ONCE = 32


def whole_trainee(
    encoder: Encoder,
    *,
    learning_rate: float | None,
    boxes: Boxes,
    pretrained: bool,
    validation: Sequence[bytes],
    relevant: NDArray[np.bool_],
) -> Trainee:
    """Return the encoder, ready to be trained in the memory layout that processors convolve fastest.

    Args:
        encoder: with random or pretrained weights; the BatchNorm statistics of a pretrained encoder do not change.
        learning_rate: of the projection, and of a backbone with random weights; None for `LEARNING_RATE`.
        boxes: the parts of a picture that the views show.
        pretrained: whether the backbone is.
        validation: (n) JPEGs of validation pictures.
        relevant: (queries, n) bool, as `validation.recall` takes it.
    """
    rate = learning_rate or LEARNING_RATE
    projection = list(encoder.projection.parameters()) if encoder.projection is not None else []
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    side = encoder.preprocessing.side

    def prepare(pictures: Tensor, generator: torch.Generator) -> Tensor:
        return random_views(pictures, side, boxes, generator).contiguous(memory_format=torch.channels_last)

    def start() -> None:
        encoder.train()
        if pretrained:
            freeze_batch_statistics(encoder)

    return Trainee(
        network=encoder,
        rates=[
            (list(encoder.backbone.parameters()), rate * (PRETRAINED_RATE if pretrained else 1)),
            (projection, rate),
        ],
        prepare=prepare,
        start=start,
        validate=_validation(encoder, validation, relevant),
        is_usable=pretrained,
    )


def freeze_batch_statistics(encoder: Encoder) -> None:
    """Make the layers of batch normalisation use the statistics they have, and not change them."""
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def encoded(encoder: Encoder, jpegs: Sequence[bytes]) -> Vectors:
    """Return the unit vectors (n, dimension) of stored JPEGs; this puts `encoder` into evaluation mode."""

    def vectors(some: Sequence[bytes]) -> Tensor:
        pixels = np.stack([encoder.preprocessing.square(jpeg) for jpeg in some])
        squares = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bfloat16()):
            return encoder(squares).float()  # type: ignore[no-any-return]

    encoder.eval()
    with torch.inference_mode():
        starts = range(0, len(jpegs), _VALIDATED_AT_ONCE)
        return torch.cat([vectors(jpegs[start : start + _VALIDATED_AT_ONCE]) for start in starts]).numpy()


def _validation(encoder: Encoder, jpegs: Sequence[bytes], relevant: NDArray[np.bool_]) -> Callable[[], float | None]:
    return lambda: recall(encoded(encoder, jpegs), relevant) if jpegs else None
