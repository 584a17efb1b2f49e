"""How probable it is that a user looks at a position of a page, estimated from clicks, and what follows from it."""

from vsearch_lib.examples.propensity.choice import NONE, Examination, estimate_examination
from vsearch_lib.examples.propensity.counts import Counts
from vsearch_lib.examples.propensity.weights import (
    PRIOR,
    effective_sample_size,
    examination_at,
    inverse_propensity,
    mean_relevance,
    relevance,
)

__all__ = [
    "NONE",
    "PRIOR",
    "Counts",
    "Examination",
    "effective_sample_size",
    "estimate_examination",
    "examination_at",
    "inverse_propensity",
    "mean_relevance",
    "relevance",
]
