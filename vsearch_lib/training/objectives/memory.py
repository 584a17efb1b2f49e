"""Vectors of earlier batches, so that a picture is compared with more pictures than a batch has."""

import torch
from torch import Tensor, nn


class Memory(nn.Module):
    """The vectors that were added last, with the numbers of their pictures.

    As in the cross-batch memory of Wang et al. 2020 (https://arxiv.org/abs/1912.06798) and in the queue of MoCo (He et
    al. 2020, https://arxiv.org/abs/1911.05722), the oldest ones give way, and no gradient flows into them. The contents
    are buffers, so `state_dict` has all that a checkpoint needs.

    Args:
        size: how many vectors stay.
        dimension: of a vector.
    """

    vectors: Tensor
    numbers: Tensor
    added: Tensor

    def __init__(self, size: int, dimension: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(size, dimension))
        self.register_buffer("numbers", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("added", torch.zeros((), dtype=torch.int64))

    def contents(self) -> tuple[Tensor, Tensor]:
        """Return the vectors (m, dimension) and the numbers of their pictures (m,), in no particular order."""
        kept = min(int(self.added), len(self.numbers))
        return self.vectors[:kept], self.numbers[:kept]

    @torch.no_grad()
    def add(self, vectors: Tensor, numbers: Tensor) -> None:
        """Add vectors (n, dimension) of pictures with these numbers (n,)."""
        size = len(self.numbers)
        vectors, numbers = vectors[-size:], numbers[-size:]
        place = (self.added + torch.arange(len(numbers), device=self.added.device)) % size
        self.vectors[place] = vectors.to(self.vectors.dtype)
        self.numbers[place] = numbers.to(self.numbers.device)
        self.added += len(numbers)
