"""What a network takes of each picture of a batch: its decoded pixels, or stored features of the frozen backbone."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.training.local_snapshot import LocalSnapshot
from vsearch_lib.vectors import Vectors

_DECODERS = 2  # threads
Field: TypeAlias = tuple[str, type[np.uint8], tuple[int, ...]]


class Inputs(Protocol):
    """A kind of input.

    Attributes:
        differs: whether two inputs of the same picture differ, so that a picture is a positive of itself.
        fields: the columns that `decode` adds to each row of examples: name, type, shape.
    """

    differs: bool
    fields: Sequence[Field]

    def decode(self, examples: pd.DataFrame) -> dict[str, list[NDArray[np.uint8]]]:
        """Return the columns `fields` of some examples; this runs outside the training's thread."""

    def take(self, columns: Mapping[str, Tensor], numbers: Tensor) -> Tensor:
        """Return (examples, pictures, …) of a batch: its columns, and the numbers of its pictures."""


class Pixels:
    """Decoded pictures, (3, side, side) uint8, of which the training makes random views.

    Args:
        snapshot: has the pictures.
        preprocessing: of the decoded squares.
    """

    differs = True

    def __init__(self, snapshot: LocalSnapshot, preprocessing: Preprocessing) -> None:
        self._snapshot, self._preprocessing = snapshot, preprocessing
        self._decoded = {f"{column}_pixels": column for column in snapshot.columns}
        shape = (3, preprocessing.side, preprocessing.side)
        self.fields: Sequence[Field] = [(name, np.uint8, shape) for name in self._decoded]

    def decode(self, examples: pd.DataFrame) -> dict[str, list[NDArray[np.uint8]]]:
        """Return the pixels of each picture of the examples."""
        with ThreadPoolExecutor(_DECODERS) as threads:
            return {
                name: list(threads.map(self._square, self._snapshot.jpegs(examples[column].to_numpy())))
                for name, column in self._decoded.items()
            }

    def _square(self, jpeg: bytes) -> NDArray[np.uint8]:
        return np.ascontiguousarray(self._preprocessing.square(jpeg).transpose(2, 0, 1))

    def take(self, columns: Mapping[str, Tensor], numbers: Tensor) -> Tensor:
        """Return (examples, pictures, 3, side, side) uint8."""
        return torch.stack([columns[name] for name in self._decoded], dim=1)


class Features:
    """Features (pictures, width) of the frozen backbone, in order of the pictures' numbers."""

    differs = False
    fields: Sequence[Field] = ()

    def __init__(self, features: Vectors) -> None:
        self._features = features

    def decode(self, examples: pd.DataFrame) -> dict[str, list[NDArray[np.uint8]]]:
        """Return nothing: a batch looks its features up."""
        return {}

    def take(self, columns: Mapping[str, Tensor], numbers: Tensor) -> Tensor:
        """Return (examples, pictures, width) float32."""
        return torch.from_numpy(self._features[numbers.numpy()])
