"""The similarity of strangers: from it an answer of the search service is judged similar enough, or not."""

import numpy as np

from vsearch_lib.artefact.strangers import SHARES, Strangers
from vsearch_lib.search.searcher import Searcher

_ROWS = 2_000  # whose 2 million pairs are compared in a second, however large the catalogue is
_MIN_PAIRS = 10_000  # ten of them are above the highest quantile


def measure_strangers(searcher: Searcher, *, seed: int) -> Strangers | None:
    """Return the quantiles of the cosines between visible rows that are strangers, None if there are too few pairs.

    Strangers have different perceptual hashes and, unless all sampled rows have one owner, different owners. All pairs
    among a random sample of rows are taken: such a U-statistic varies less than as many rows in separate pairs
    (Hoeffding, Annals of Mathematical Statistics 19, 1948), and it needs few reads.
    """
    visible = searcher.visible_ids()
    sample = np.sort(np.random.default_rng(seed).choice(visible, size=min(_ROWS, len(visible)), replace=False))
    facts = searcher.rows.select(["owner_id", "phash"]).take(sample)
    owners, hashes = (np.unique(np.asarray(facts[name]), return_inverse=True)[1] for name in ("owner_id", "phash"))
    vectors = searcher.vectors(sample)
    cosines = []
    for row in range(1, len(sample)):
        strangers = hashes[:row] != hashes[row]
        if owners.any():
            strangers &= owners[:row] != owners[row]
        cosines.append(vectors[:row][strangers] @ vectors[row])
    pairs = np.concatenate([*cosines, np.zeros(0, np.float32)])
    if len(pairs) < _MIN_PAIRS:
        return None
    quantiles = np.quantile(pairs, SHARES)
    return Strangers(len(sample), len(pairs), {s: round(float(q), 5) for s, q in zip(SHARES, quantiles, strict=True)})
