"""Trains the head with one choice of objective at a time, and compares each with the default, query by query.

    .venv/bin/python benchmarks/objectives.py ../shared/data/clothing [CHOICE …]

Without a name of a choice all are measured; there are some thirty, of half a minute for each seed. Features, splits and
figures are those of `head.py`. With labels, the pairs of the train split are examples. Without, an example is a picture
alone, so that only neighbours teach; the choices are then compared with no training.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from head import SETTINGS, features_of, precisions, trained_head

from vsearch_lib.encoder.projection import Projection, fit_pca
from vsearch_lib.paired import paired_difference

SEEDS = (1, 2, 3)
WITH_LABELS: dict[str, dict[str, object]] = {
    "default": {},
    "gradients not clipped": {"max_gradient": 1e9},
    "weight decay .0001": {"weight_decay": 0.0001},
    "candidates": {"objective": "candidates"},
    "queue": {"objective": "queue"},
    "memory": {"objective": "memory"},
    "related as positives": {"related_as_positives": True},
    "projection head of 512": {"projection_head": 512},
    **{f"keep_frozen {weight}": {"keep_frozen": weight} for weight in (0.3, 1.0, 3.0)},
    **{f"neighbours {k}": {"neighbours": k} for k in (20, 50, 100)},
}
WITHOUT_LABELS: dict[str, dict[str, object]] = {
    f"neighbours {k}, keep_frozen {weight}": {"neighbours": k, "keep_frozen": weight}
    for k in (20, 50, 100)
    for weight in (0.0, 0.3, 1.0, 3.0)
}


def main(clothing: str, *wanted: str) -> None:
    """Print the mAP of each choice, or of those `wanted`, and its paired difference to the default, for three seeds."""
    with (Path(clothing) / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    labels, split = (np.array([row[column] for row in rows]) for column in ("label", "split"))
    features = features_of(Path(clothing), [row["file"] for row in rows])
    train_rows, validation, test = (np.flatnonzero(split == name) for name in ("train", "validation", "test"))
    nobodys = np.array([str(row) for row in range(len(labels))])

    def average_precisions(projection: Projection) -> list[float]:
        return precisions(projection, features, labels, test, train_rows)[2]

    print("| examples | choice | seed | mAP | difference to the default (95 % interval) |\n|---|---|---|---|---|")
    for name, known, choices in (("with labels", labels, WITH_LABELS), ("without labels", nobodys, WITHOUT_LABELS)):
        for seed in SEEDS:
            default = average_precisions(
                fit_pca(features[train_rows], dimension=SETTINGS.model.dimension, seed=seed)[0]
            )
            print(f"| {name} | not trained | {seed} | {np.mean(default):.3f} | |", flush=True)
            for choice, changes in choices.items():
                if wanted and choice not in ("default", *wanted):
                    continue
                training = SETTINGS.training.model_copy(update={**changes, "seed": seed})
                negatives = 4 if training.objective == "candidates" else 0
                _, projection, _ = trained_head(features, known, train_rows, validation, training, negatives=negatives)
                found = average_precisions(projection)
                if choice == "default":
                    default = found
                gain = paired_difference(found, default, seed=seed)
                interval = f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
                print(f"| {name} | {choice} | {seed} | {np.mean(found):.3f} | {interval} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
