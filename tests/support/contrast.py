"""An objective without a snapshot: the pictures of a plan against each other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vsearch_lib.training.objectives.contrastive import contrastive_loss
from vsearch_lib.training.plan import Plan


class Contrast(nn.Module):
    """The loss of a batch, as `Objective` computes it by default."""

    compares_with_keys = False

    def __init__(self, *, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, vectors: Tensor, plan: Plan, keys: None = None) -> Tensor:
        """Return the loss, a scalar."""
        weights = torch.ones(len(vectors))
        return contrastive_loss(vectors, plan.positives, plan.related, weights, temperature=self.temperature)

    def keys(self, inputs: Tensor) -> None:
        """Return none."""

    def after_step(self, network: nn.Module) -> None:
        """Follow nothing."""
