"""Query expansion: the first answers are added to the query, which is then asked again."""

import numpy as np

from vsearch_lib.vectors import Vectors

# Chosen on clothing photos of the validation split (docs/benchmarks.md, "Crops and expansion").
ANSWERS = 10
_POWER = 3


def expanded(query: Vectors, vectors: Vectors, cosines: Vectors) -> Vectors:
    """Return the unit vector (d,) of a query (d,) and its first answers (n, d), which the asker may see.

    It is q + Σ max(cosine, 0)³·v, divided by its length: α-weighted query expansion (Radenović, Tolias and Chum 2018,
    "Fine-tuning CNN image retrieval with no human annotation"), which follows Chum et al. 2007, "Total recall". The
    weights fall so fast that a wrong answer with a low cosine changes little.

    Args:
        cosines: of the query with each of the answers, (n,).
    """
    weights = np.maximum(cosines, 0).astype(np.float64) ** _POWER
    total = query + weights @ vectors
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)
