"""The contrastive loss of a batch, by the weights of its examples."""

import torch
from pytorch_metric_learning.losses import SupConLoss
from pytorch_metric_learning.reducers import DoNothingReducer
from torch import Tensor


def positive_pairs(groups: Tensor, labels: Tensor) -> Tensor:
    """Return which pictures of a batch are to be near each other, (pictures, pictures) bool, none with itself.

    They are the pictures of one group, and the query and the positive of each example.

    Args:
        groups: (examples, 1 + candidates) int64, a query, then its candidates.
        labels: (examples,) int64, the index of the positive among the candidates.
    """
    flat = groups.flatten()
    pairs = flat.unsqueeze(0) == flat.unsqueeze(1)
    query = torch.arange(len(groups)) * groups.shape[1]
    positive = query + 1 + labels
    pairs[query, positive] = pairs[positive, query] = True
    return pairs.fill_diagonal_(False)


def contrastive_loss(
    vectors: Tensor, positives: Tensor, related: Tensor, weights: Tensor, *, temperature: float
) -> Tensor:
    """Return the loss of Khosla et al. 2020 over all pictures of a batch, a scalar: a picture of weight 2 counts twice.

    With one positive a picture it is NT-Xent (Chen et al. 2020). It is computed from one matrix of similarities; the
    library's NTXentLoss copies the negatives for each pair and takes half the time of a step.

    Args:
        vectors: (pictures, dimension) float.
        positives: (pictures, pictures) bool: pairs to be near each other.
        related: (pictures, pictures) bool: pairs that are not pushed apart, though they may not be positives.
        weights: (pictures,) float, above 0: the weight of each picture's own loss.
        temperature: of the softmax over similarities.
    """
    negatives = ~(positives | related).fill_diagonal_(True)
    pairs = (*torch.where(positives), *torch.where(negatives))
    loss = SupConLoss(temperature=temperature, reducer=DoNothingReducer())
    losses = loss(vectors, indices_tuple=pairs)["loss"]["losses"]
    if not torch.is_tensor(losses):  # nothing to pull together, or nothing to push apart
        return vectors.sum() * 0
    # A picture without a positive or a negative has no loss.
    counted = weights * (positives.any(dim=1) & negatives.any(dim=1))
    return (counted * losses).sum() / counted.sum().clamp_min(torch.finfo(counted.dtype).tiny)
