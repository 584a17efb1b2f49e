"""The projection head of SimCLR: the loss sees its output, and after the training it is dropped."""

from torch import Tensor, nn


class ProjectionHead(nn.Module):
    """Maps vectors (n, dimension) to unit vectors (n, dimension) by a hidden layer.

    What it takes away need not be lost to the vectors before it (Chen et al. 2020, https://arxiv.org/abs/2002.05709).
    """

    def __init__(self, dimension: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(dimension, hidden), nn.ReLU(), nn.Linear(hidden, dimension))

    def forward(self, vectors: Tensor) -> Tensor:
        """Return (n, dimension) of unit length."""
        return nn.functional.normalize(self.layers(vectors), dim=1)
