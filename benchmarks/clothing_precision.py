"""P@10 by label of a published index of the clothing photos: its answers to the test split on the train split.

    .venv/bin/vsearch run nightly --env demo --images ../shared/data/clothing/images --set training.epochs=0 \\
        --set model.backbone=mobilenet_v2 --set model.weights=../shared/data/weights/mobilenet_v2.safetensors
    .venv/bin/python benchmarks/clothing_precision.py var/photos/clothing-images-*/index \\
        ../shared/data/clothing/metadata.csv
"""

import csv
import sys
from pathlib import Path

import numpy as np

from vsearch_lib.serving.searcher import Searcher

DEPTH = 400  # answers asked for, so that ten of the train split are among them


def main(index: str, metadata: str) -> None:
    """Print P@10 of the published answers and of an exact search over the same vectors."""
    with Path(metadata).open() as file:
        facts = {Path(row["file"]).name: row for row in csv.DictReader(file)}
    searcher = Searcher.open(index)
    names = searcher.rows["image_id"].to_pylist()
    labels = np.array([facts[name]["label"] for name in names])
    split = np.array([facts[name]["split"] for name in names])
    queries = np.flatnonzero(split == "test")
    for name, hits in (
        ("published index", searcher.search(searcher.vectors(queries), DEPTH)),
        ("exact search", searcher.exact(searcher.vectors(queries), len(names))),
    ):
        found = [[row for row in ids if row >= 0 and split[row] == "train"][:10] for ids in hits.ids]
        precision = np.mean([labels[ids] == labels[query] for ids, query in zip(found, queries, strict=True)])
        print(f"{name}: P@10 {precision:.4f} over {len(queries)} queries")


if __name__ == "__main__":
    main(*sys.argv[1:3])
