"""The examples of a batch, by the numbers of their pictures."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class Plan:
    """The examples of a batch, without what the network takes of them.

    Attributes:
        numbers: (examples, 1 + candidates) int64: the pictures of each example, a query, then its candidates.
        labels: (examples,) int64, the index of the positive among the candidates.
        positives: (pictures, pictures) bool over all pictures, example after example: pairs to be near each other.
        related: (pictures, pictures) bool: those of one group, or of groups that are known to belong together; they
            are never pushed apart. A picture is related to itself.
        weights: (examples,) float32, above 0.
    """

    numbers: Tensor
    labels: Tensor
    positives: Tensor
    related: Tensor
    weights: Tensor

    def to(self, device: torch.device) -> "Plan":
        """Return the same plan on `device`."""
        return Plan(*(getattr(self, field.name).to(device) for field in fields(self)))
