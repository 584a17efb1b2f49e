"""In-batch negatives: each picture is to be nearer to its positives than to all other pictures."""

import torch
from torch import Tensor


def contrastive_loss(
    vectors: Tensor,
    positives: Tensor,
    related: Tensor,
    weights: Tensor,
    *,
    temperature: float,
    others: Tensor | None = None,
) -> Tensor:
    """Return the loss of Khosla et al. 2020 (https://arxiv.org/abs/2004.11362), a scalar: weight 2 counts twice.

    Of each picture it is the mean over its positives of minus the log of their share; the shares are a softmax over its
    positives and negatives. With one positive a picture it is NT-Xent (Chen et al. 2020). A picture without a positive
    or a negative has no loss.

    Args:
        vectors: (n, dimension) float of unit length.
        positives: (n, m) bool: pairs to be near each other.
        related: (n, m) bool: pairs that are not pushed apart, though they may not be positives: each picture and
            itself among them.
        weights: (n,) float, above 0: the weight of each picture's own loss.
        temperature: of the softmax over similarities.
        others: (m, dimension) float of unit length, what the vectors are compared with; None for the vectors
            themselves.
    """
    others = vectors if others is None else others
    left_out = related & ~positives
    taught = positives.any(dim=1) & ~(positives | left_out).all(dim=1)
    if not taught.any():
        return vectors.sum() * 0
    positives, weights = positives[taught], weights[taught]
    similarities = vectors[taught] @ others.T / temperature
    compared = similarities.masked_fill(left_out[taught], -torch.inf)
    log_shares = similarities - compared.logsumexp(dim=1, keepdim=True)
    losses = -(log_shares * positives).sum(dim=1) / positives.sum(dim=1)
    return (weights * losses).sum() / weights.sum()
