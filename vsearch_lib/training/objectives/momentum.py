"""A slow copy of the trained network, whose vectors of different steps can be compared."""

from typing import Self

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class MomentumEncoder(nn.Module):
    """The key encoder of MoCo (He et al. 2020, https://arxiv.org/abs/1911.05722).

    Its weights are a moving average of the trained network's. It is always in evaluation mode, without dropout and with
    the batch statistics of the trained network.

    Args:
        network: that is trained.
        momentum: the share of the average that a step keeps.
    """

    def __init__(self, network: nn.Module, *, momentum: float) -> None:
        super().__init__()
        average = get_ema_multi_avg_fn(momentum)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(network, multi_avg_fn=average)
        self.average.requires_grad_(False)
        self.follow(network)  # torch copies the weights at the first call, and averages from the second one on
        self.train()

    @torch.no_grad()
    def forward(self, inputs: Tensor) -> Tensor:
        """Return keys (n, dimension) of inputs (n, …)."""
        keys: Tensor = self.average(inputs)
        return keys

    def follow(self, network: nn.Module) -> None:
        """Move the average towards the network's current weights."""
        self.average.update_parameters(network)

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode."""
        return super().train(False)
