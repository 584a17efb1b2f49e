"""Each query's candidates: the positive is to be nearer to the query than the other candidates of its example."""

import torch
from torch import Tensor, nn

from vsearch_lib.training.plan import Plan


def candidates_loss(vectors: Tensor, labels: Tensor, known: Tensor, weights: Tensor, *, temperature: float) -> Tensor:
    """Return the cross-entropy of the softmax over each query's candidates, the mean by weight, a scalar.

    Args:
        vectors: (examples, 1 + candidates, dimension) float of unit length: a query, then its candidates.
        labels: (examples,) int64, the index of the positive among the candidates.
        known: (examples, candidates) bool: candidates that belong to the query; apart from the positive they are left
            out of the softmax.
        weights: (examples,) float, above 0.
        temperature: of the softmax over similarities.
    """
    similarities = torch.einsum("ed,ecd->ec", vectors[:, 0], vectors[:, 1:]) / temperature
    left_out = known.scatter(1, labels.unsqueeze(1), value=False)
    losses = nn.functional.cross_entropy(similarities.masked_fill(left_out, -torch.inf), labels, reduction="none")
    return (weights * losses).sum() / weights.sum()


def known_candidates(plan: Plan) -> Tensor:
    """Return (examples, candidates) bool: which candidates are known to belong to the query of their example."""
    examples, pictures = plan.numbers.shape
    belongs = (plan.positives | plan.related).view(examples, pictures, examples, pictures)
    example = torch.arange(examples, device=belongs.device)
    return belongs[example, 0, example, 1:]
