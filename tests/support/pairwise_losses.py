"""Losses written as loops over pairs, in float64: what the vectorised ones are checked against."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

_UNIT_ROUNDOFF = {torch.float64: 2.0**-53, torch.float32: 2.0**-24, torch.bfloat16: 2.0**-9}


def tolerance(dtype: torch.dtype, temperature: float) -> float:
    """How far a loss of vectors in `dtype` may be from the exact one.

    Rounding two unit vectors moves their cosine by 2 u, a log-softmax of cosines / temperature moves by twice as much
    as they do; the arithmetic itself, in float32 or better, may cost a hundred roundings.
    """
    arithmetic = 2.0**-53 if dtype == torch.float64 else 2.0**-24
    return (4.1 * _UNIT_ROUNDOFF[dtype] + 100 * arithmetic) / temperature


def unit_vectors(rng: np.random.Generator, n: int, dimension: int) -> NDArray[np.float64]:
    """Random unit vectors; about one in four is a copy of the one before."""
    vectors = rng.standard_normal((n, dimension))
    for i in range(1, n):
        if rng.random() < 0.25:
            vectors[i] = vectors[i - 1]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def very_different_weights(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Weights from a thousandth to a thousand."""
    return 10.0 ** rng.uniform(-3, 3, n)


def contrastive(vectors, others, positives, related, weights, temperature: float) -> float:
    """Of each picture, minus the mean log share of its positives among all that is not merely related to it."""
    total = counted = 0.0
    for i in range(len(vectors)):
        near = [j for j in range(len(others)) if positives[i][j]]
        far = [j for j in range(len(others)) if not positives[i][j] and not related[i][j]]
        if near and far:
            power = {j: np.exp(np.dot(vectors[i], others[j]) / temperature) for j in near + far}
            total -= weights[i] * np.mean([np.log(power[j] / sum(power.values())) for j in near])
            counted += weights[i]
    return float(total / counted) if counted else 0.0


def candidates(vectors, labels, known, weights, temperature: float) -> float:
    """Of each query, minus the log share of its positive among the candidates that are not known to belong to it."""
    total = 0.0
    for example, label, belongs, weight in zip(vectors, labels, known, weights, strict=True):
        power = [np.exp(np.dot(example[0], candidate) / temperature) for candidate in example[1:]]
        others = sum(p for j, p in enumerate(power) if j != label and not belongs[j])
        total -= weight * np.log(power[label] / (power[label] + others))
    return float(total / sum(weights))


def kept_similarities(vectors, frozen, temperature: float) -> float:
    """The mean divergence of the shares of all others, trained from frozen."""
    total = 0.0
    for i in range(len(vectors)):
        others = [j for j in range(len(vectors)) if j != i]
        before, after = (
            np.array([np.exp(np.dot(some[i], some[j]) / temperature) for j in others]) for some in (frozen, vectors)
        )
        before, after = before / before.sum(), after / after.sum()
        total += sum(p * np.log(p / q) for p, q in zip(before, after, strict=True))
    return total / len(vectors)
