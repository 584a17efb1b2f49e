"""The encoder network: normalisation, backbone, projection, unit length."""

from typing import cast

import torch
from torch import Tensor, nn

from vsearch_lib.config.settings import Backbone
from vsearch_lib.encoder import backbones


class Encoder(nn.Module):
    """Maps (n, 3, s, s) uint8 RGB to (n, dimension) float32 of unit length.

    Args:
        backbone: name of the architecture.
        dimension: of the linear projection; None leaves the pooled features as they are.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: Backbone, *, dimension: int | None) -> None:
        super().__init__()
        features = backbones.build(backbone)
        self.backbone = features.network
        self.projection = nn.Linear(features.width, dimension, bias=False) if dimension else nn.Identity()
        self.dimension = dimension or features.width
        self.register_buffer("mean", torch.tensor(features.mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(features.std).view(1, 3, 1, 1) * 255, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return unit vectors of uint8 (or 0–255 float) images."""
        return nn.functional.normalize(self.features(images).float(), dim=1)

    def features(self, images: Tensor) -> Tensor:
        """Return what `forward` brings to unit length."""
        return cast(Tensor, self.projection(self.backbone((images.float() - self.mean) / self.std)))


def untrained(backbone: Backbone, *, dimension: int | None, seed: int) -> Encoder:
    """Return an encoder with the random weights that `seed` gives."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Encoder(backbone, dimension=dimension)
