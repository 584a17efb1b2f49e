"""The contrastive loss of a batch, by the weights of its examples."""

import torch
from pytorch_metric_learning.losses import SupConLoss
from pytorch_metric_learning.reducers import DoNothingReducer
from torch import Tensor


def contrastive_loss(vectors: Tensor, groups: Tensor, weights: Tensor, *, temperature: float) -> Tensor:
    """Return the loss of Khosla et al. 2020 over all pictures of a batch, a scalar: a picture of weight 2 counts twice.

    With one positive a picture it is NT-Xent (Chen et al. 2020). It is computed from one matrix of similarities; the
    library's NTXentLoss copies the negatives for each pair and takes half the time of a step.

    Args:
        vectors: (pictures, dimension) float.
        groups: (pictures,) int64; pictures of one group are to be near each other, of different groups apart.
        weights: (pictures,) float, above 0: the weight of each picture's own loss.
        temperature: of the softmax over similarities.
    """
    losses = SupConLoss(temperature=temperature, reducer=DoNothingReducer())(vectors, groups)["loss"]["losses"]
    if not torch.is_tensor(losses):  # nothing to pull together, or nothing to push apart
        return vectors.sum() * 0
    # A picture alone in its group has no positive: its loss is 0, and it does not count.
    counted = weights * (losses > 0)
    return (counted * losses).sum() / counted.sum().clamp_min(torch.finfo(counted.dtype).tiny)
