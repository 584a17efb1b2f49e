"""Measures what query expansion by the first answers gains on clothing photos, with the frozen projection and the head.

    .venv/bin/python benchmarks/expansion.py ../shared/data/clothing

Features are those of EfficientNet-Lite0 with its packaged weights; queries are the test split, answers the train split,
searched exactly; right are photos of one label. The head is trained on pairs of one label of the train split, one seed.
"""

import csv
import sys
import time
from pathlib import Path

import numpy as np
from clothing_precision import average_precision
from head import SETTINGS, features_of, trained_head
from numpy.typing import NDArray

from vsearch_lib.encoder.projection import Projection
from vsearch_lib.paired import paired_difference
from vsearch_lib.serving.expansion import ANSWERS, expanded
from vsearch_lib.vectors import RowIds, Vectors

SEED = 1


def measure(
    name: str, projection: Projection, features: Vectors, labels: NDArray[np.str_], queries: RowIds, answers: RowIds
) -> None:
    """Print mAP and R@1 of both ways, the gain in mAP, and the time that expansion takes."""
    vectors = projection.apply(features)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    asked, found = vectors[queries], vectors[answers]
    again, seconds = [], []
    for query in asked:
        cosines = found @ query
        best = np.argsort(-cosines, kind="stable")[:ANSWERS]
        began = time.perf_counter()
        again.append(expanded(query, found[best], cosines[best]))
        seconds.append(time.perf_counter() - began)
    results = {}
    for way, by in (("as asked", asked), ("expanded", np.array(again))):
        order = np.argsort(-by @ found.T, axis=1, kind="stable")
        right = labels[answers][order] == labels[queries][:, None]
        results[way] = [average_precision(row, int(row.sum())) for row in right]
        print(f"{name}, {way}: R@1 {right[:, 0].mean():.3f}, mAP {np.mean(results[way]):.3f}, {len(queries)} queries")
    gain = paired_difference(results["expanded"], results["as asked"], seed=SEED)
    print(
        f"  gain in mAP {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}); "
        f"{1e6 * np.median(seconds):.0f} µs a query, and the second search",
        flush=True,
    )


def main(clothing: str) -> None:
    """Print the figures of PCA and of the head."""
    with (Path(clothing) / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    labels, split = (np.array([row[column] for row in rows]) for column in ("label", "split"))
    features = features_of(Path(clothing), [row["file"] for row in rows])
    train, validation, test = (np.flatnonzero(split == part) for part in ("train", "validation", "test"))
    training = SETTINGS.training.model_copy(update={"seed": SEED})
    frozen, head, _ = trained_head(features, labels, train, validation, training)
    for name, projection in (("PCA", frozen), ("head", head)):
        measure(name, projection, features, labels, test, train)


if __name__ == "__main__":
    main(sys.argv[1])
