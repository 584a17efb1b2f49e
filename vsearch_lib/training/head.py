"""Training of the projection alone, on stored features of the frozen backbone: seconds on any processor."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vsearch_lib.encoder.network import LinearProjection, unit
from vsearch_lib.training.loop import Trainee
from vsearch_lib.training.validation import recall_of_each_query
from vsearch_lib.vectors import Vectors

# Measured on clothing photos, from PCA and with same-label pairs: .0003 gave mAP .870, .001 .862 and .003 .852.
LEARNING_RATE = 0.0003


class Head(nn.Module):
    """Maps features (n, width) to unit vectors (n, dimension)."""

    def __init__(self, projection: LinearProjection) -> None:
        super().__init__()
        self.projection = projection

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, dimension) of unit length."""
        return unit(self.projection(features))


def head_trainee(
    projection: LinearProjection,
    *,
    learning_rate: float | None,
    validation: Vectors,
    relevant: NDArray[np.bool_],
) -> Trainee:
    """Return the projection, ready to be trained; it starts from its current axes.

    Args:
        projection: fitted to the catalogue.
        learning_rate: None for `LEARNING_RATE`.
        validation: (n, width) features of validation pictures.
        relevant: (queries, n) bool, as `recall_of_each_query` takes it.
    """
    head = Head(projection)

    def validate() -> NDArray[np.float64]:
        with torch.inference_mode():
            vectors = head(torch.from_numpy(validation).to(projection.axes.device))
        return recall_of_each_query(vectors.cpu().numpy(), relevant)

    return Trainee(
        network=head,
        dimension=len(projection.axes),
        rates=[(list(projection.parameters()), learning_rate or LEARNING_RATE)],
        start=lambda: None,
        validate=validate,
        is_usable=True,
    )
