"""The processes of one training: each computes the vectors of its part of a batch, and all compute the same loss."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

# So many examples of a batch are prepared together, with random numbers of their own: then the views of a batch do not
# depend on the number of processes.
BLOCK_EXAMPLES = 8
T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """This process, `rank`, among `count`. With more than one, torch's process group exists already."""

    rank: int = 0
    count: int = 1

    def part(self, examples: int) -> slice:
        """Return which of the examples of a batch are this process's: whole blocks, perhaps none."""
        blocks = -(-examples // BLOCK_EXAMPLES)
        start, end = (i * blocks // self.count * BLOCK_EXAMPLES for i in (self.rank, self.rank + 1))
        return slice(min(start, examples), min(end, examples))

    def gathered(self, own: Tensor, place: slice, total: int) -> Tensor:
        """Return (total, d): the vectors of all processes, of which `own` are those at `place`."""
        if self.count == 1:
            return own
        together = own.new_zeros(total, own.shape[1])
        together[place] = own
        distributed.all_reduce(together)
        return together

    def sum_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Add up the gradients of all processes.

        Each process has the gradient through its own vectors alone, so the sum is the gradient of the whole loss.
        """
        if self.count == 1:
            return
        trained = [weight for weight in weights if weight.requires_grad]
        together = torch.cat([(torch.zeros_like(w) if w.grad is None else w.grad).flatten() for w in trained])
        distributed.all_reduce(together)
        for weight, gradient in zip(trained, torch.split(together, [w.numel() for w in trained]), strict=True):
            weight.grad = gradient.view_as(weight).clone()

    def of_first(self, value: T) -> T:
        """Return what the first process passed, a small plain value; that of the others does not matter."""
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]


ALONE = Processes()
