"""What a network takes of each picture of a batch: a random view of it, or stored features of the frozen backbone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.training.augment import random_views
from vsearch_lib.training.local_snapshot import LocalSnapshot
from vsearch_lib.vectors import RowIds, Vectors

_DECODERS = 2  # threads
# Pictures are decoded a little larger than the views cut from them, so that a crop does not blow pixels up.
_DECODED_TO_VIEW = 1.25


class Inputs(Protocol):
    """A kind of input.

    Attributes:
        differs: whether two inputs of the same picture differ, so that a picture is a positive of itself.
    """

    differs: bool

    def load(self, pictures: RowIds, generator: torch.Generator) -> Tensor:
        """Return the inputs (n, …) of pictures by number; what is random comes from `generator`.

        This runs outside the training's thread.
        """


class Views:
    """Random views of pictures, (3, side, side) float, 0–255.

    Args:
        snapshot: has the pictures.
        preprocessing: of the network.
        side: of the views, in pixels; a network that was trained on smaller pictures than it will see finds more than
            on equal ones, because a random crop shows things larger (Touvron et al. 2019, "Fixing the train-test
            resolution discrepancy").
        strength: of the views, 0–1 (`random_views`).
    """

    differs = True

    def __init__(self, snapshot: LocalSnapshot, preprocessing: Preprocessing, *, side: int, strength: float) -> None:
        self._snapshot, self._side, self._strength = snapshot, side, strength
        self._decoded = replace(preprocessing, side=round(side * _DECODED_TO_VIEW))

    def load(self, pictures: RowIds, generator: torch.Generator) -> Tensor:
        """Return (n, 3, side, side) float, in the memory layout that processors convolve fastest."""
        with ThreadPoolExecutor(_DECODERS) as threads:
            squares = np.stack(list(threads.map(self._decoded.square, self._snapshot.jpegs(pictures))))
        pixels = torch.from_numpy(squares).permute(0, 3, 1, 2)
        views = random_views(pixels, self._side, self._snapshot.boxes, self._strength, generator)
        return views.contiguous(memory_format=torch.channels_last)


class Features:
    """Features of the frozen backbone, in order of the pictures' numbers: of each picture, or of a random view of it.

    Args:
        features: (pictures, 1 + views, width): of the picture itself, then of views.
        mean: (width,) of the features.
        dropout: share of the features that an input leaves out at random: they get the mean, and what the others
            differ from it grows in turn (Srivastava et al. 2014).
    """

    def __init__(self, features: Vectors, mean: Vectors, *, dropout: float = 0.0) -> None:
        self._features, self._mean, self._dropout = features, torch.from_numpy(mean), dropout
        self.differs = features.shape[1] > 1

    def load(self, pictures: RowIds, generator: torch.Generator) -> Tensor:
        """Return (n, width) float32."""
        views = torch.randint(self._features.shape[1], (len(pictures),), generator=generator)
        features = torch.from_numpy(self._features[pictures, views.numpy()])
        if not self._dropout:
            return features
        kept = torch.rand(features.shape, generator=generator) >= self._dropout
        return self._mean + (features - self._mean) * kept / (1 - self._dropout)
