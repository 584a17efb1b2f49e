"""Measures how well a published index of clothing photos finds photos of the same label (queries: the test split).

    make demo IMAGES=../shared/data/clothing/images
    .venv/bin/python benchmarks/clothing_precision.py var/photos/clothing-images-*/index \\
        ../shared/data/clothing/metadata.csv
"""

import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsearch_lib.search.searcher import Searcher


def main(index: str, metadata: str) -> None:
    """Print R@1, P@10 and mAP of the published answers and of an exact search over the same vectors.

    Answers are photos of the train split. For mAP a photo that is not among the answers counts as never found.
    """
    with Path(metadata).open() as file:
        facts = {Path(row["file"]).name: row for row in csv.DictReader(file)}
    searcher = Searcher.open(index, cache=Path("unused"))
    names = searcher.rows["image_id"].to_pylist()
    labels = np.array([facts[name]["label"] for name in names])
    split = np.array([facts[name]["split"] for name in names])
    queries = np.flatnonzero(split == "test")
    vectors = searcher.vectors(queries)
    for name, hits in (
        ("published index", searcher.search(vectors, len(names))),
        ("exact search", searcher.exact(vectors, len(names))),
    ):
        right = [
            labels[[row for row in ids if row >= 0 and split[row] == "train"]] == labels[query]
            for ids, query in zip(hits.ids, queries, strict=True)
        ]
        possible = [int(((split == "train") & (labels == labels[query])).sum()) for query in queries]
        at_1 = np.mean([row[0] for row in right])
        at_10 = np.mean([row[:10].mean() for row in right])
        mean_average = np.mean([average_precision(*row) for row in zip(right, possible, strict=True)])
        print(f"{name}: R@1 {at_1:.3f}, P@10 {at_10:.3f}, mAP {mean_average:.3f} over {len(queries)} queries")


def average_precision(right: NDArray[np.bool_], possible: int) -> float:
    """Return the sum of the precisions at the ranks of right answers, divided by the number of all right ones."""
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float((precision * right).sum() / possible)


if __name__ == "__main__":
    main(*sys.argv[1:3])
