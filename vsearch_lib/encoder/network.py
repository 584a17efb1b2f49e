"""The encoder network: normalisation, backbone, unit length, projection, unit length."""

from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from vsearch_lib.encoder import backbones
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.encoder.projection import HiddenLayer, Projection
from vsearch_lib.errors import UsageError
from vsearch_lib.vectors import Vectors


class Encoder(nn.Module):
    """Maps (n, 3, side, side) uint8 RGB to (n, dimension) float32 of unit length.

    Args:
        backbone: name of the architecture.
        dimension: length of a projected vector; None returns the features, brought to unit length.
        side: side of the squares that the backbone takes, in pixels; None for its own size.

    Raises:
        UsageError: there is no such backbone, it takes no such squares, or it has fewer features than `dimension`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: str, *, dimension: int | None, side: int | None = None) -> None:
        super().__init__()
        self.backbone_name = backbone
        features = backbones.build(backbone, side=side)
        if dimension and dimension > features.width:
            raise UsageError(
                f"model.dimension = {dimension}: {backbone} has {features.width} features; give as many or fewer"
            )
        self.backbone = features.network
        self.projection = LinearProjection(features.width, dimension) if dimension else None
        self.dimension = dimension or features.width
        self.register_buffer("mean", torch.empty(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.empty(1, 3, 1, 1), persistent=False)
        self.set_preprocessing(features.preprocessing)

    def add_hidden_layer(self, units: int, *, seed: int) -> None:
        """Give the projection a hidden layer, which changes no vector until it is trained."""
        assert self.projection is not None  # a network without a projection is never trained
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.projection = HiddenProjection(self.projection, units)

    def set_preprocessing(self, preprocessing: Preprocessing) -> None:
        """Use `preprocessing`, which a model's card states, or which follows from the initial weights."""
        self.preprocessing = preprocessing
        for buffer, values in ((self.mean, preprocessing.mean), (self.std, preprocessing.std)):
            buffer.copy_(torch.tensor(values).view(1, 3, 1, 1) * 255)

    def forward(self, images: Tensor) -> Tensor:
        """Return unit vectors of uint8 (or 0–255 float) images."""
        features = unit(self.features(images))
        return features if self.projection is None else unit(self.projection(features))

    def features(self, images: Tensor) -> Tensor:
        """Return the backbone's pooled features (n, width), of any length."""
        return cast(Tensor, self.backbone((images.float() - self.mean) / self.std))


def unit(vectors: Tensor) -> Tensor:
    """Return vectors (n, d) of any precision as float32 of unit length; a length in bfloat16 would be off by 0.3 %."""
    return nn.functional.normalize(vectors.float(), dim=1)


class LinearProjection(nn.Module):
    """`projection.Projection` as a layer: axes that can be trained, and a mean that is constant."""

    mean: Tensor

    def __init__(self, width: int, dimension: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.axes = nn.Parameter(torch.empty(dimension, width))
        nn.init.kaiming_uniform_(self.axes, a=5**0.5)  # as torch initialises its linear layers

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, dimension) of features (n, width) of unit length."""
        return self.project(features - self.mean)

    def project(self, centred: Tensor) -> Tensor:
        """Return (n, dimension) of features (n, width) from which the mean was subtracted."""
        return centred @ self.axes.T

    def set_to(self, projection: Projection) -> None:
        """Copy mean and axes from a fitted projection."""
        with torch.no_grad():
            self.mean.copy_(torch.from_numpy(projection.mean))
            self.axes.copy_(torch.from_numpy(projection.axes))

    def as_arrays(self) -> Projection:
        """Return the current values."""
        return Projection(_array(self.mean), _array(self.axes))


class HiddenProjection(LinearProjection):
    """A projection with rectified units, which adds nothing to the linear one that it is made from until it is trained.

    Args:
        linear: its mean and axes are copied.
        units: width of the hidden layer.
    """

    def __init__(self, linear: LinearProjection, units: int) -> None:
        dimension, width = linear.axes.shape
        super().__init__(width, dimension)
        self.load_state_dict(linear.state_dict())
        self.inner = nn.Parameter(torch.empty(units, width))
        nn.init.kaiming_uniform_(self.inner, a=5**0.5)
        self.outer = nn.Parameter(torch.zeros(dimension, units))

    def project(self, centred: Tensor) -> Tensor:
        """Return (n, dimension) of features (n, width) from which the mean was subtracted."""
        return super().project(centred) + nn.functional.relu(centred @ self.inner.T) @ self.outer.T

    def as_arrays(self) -> Projection:
        """Return the current values."""
        return replace(super().as_arrays(), hidden=HiddenLayer(_array(self.inner), _array(self.outer)))


def _array(values: Tensor) -> Vectors:
    return np.asarray(values.detach().cpu().numpy(), dtype=np.float32)


def untrained(backbone: str, *, dimension: int | None, seed: int, side: int | None = None) -> Encoder:
    """Return an encoder with the random weights that `seed` gives."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Encoder(backbone, dimension=dimension, side=side)
