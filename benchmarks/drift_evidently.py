"""Lets Evidently judge the nights that `drift.py` has stored; run by that script, in Evidently's own environment.

Its verdicts with its defaults are printed: the share of nights on which its preset calls any column drifted, and on
which it calls the data set drifted, which is half of the columns; and that on which a classifier tells the embeddings
apart (area under its curve above .55).
"""

import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.metrics.embeddings import EmbeddingsDrift
from evidently.presets import DataDriftPreset

NUMBERS = ("brightness", "sharpness", "nearest")
NIGHTS = 30  # of each kind at most: it takes longer a night than our tests do


def main(folder: str) -> None:
    """Print a line for each kind of night."""
    with np.load(Path(folder) / "catalogue.npz") as arrays:
        catalogue = dict(arrays)
    axes = [f"axis_{i}" for i in range(catalogue["vectors"].shape[2])]
    definition = DataDefinition(numerical_columns=list(NUMBERS), categorical_columns=["tag"], embeddings={"v": axes})
    counts: dict[str, list[list[bool]]] = defaultdict(list)
    began = time.perf_counter()
    with np.load(Path(folder) / "nights.npz") as nights:
        for key in nights:
            kind, number, part = key.split("|")
            if part != "photos" or int(number) >= NIGHTS:
                continue
            where = (nights[f"{kind}|{number}|versions"], nights[key])
            frame = pd.DataFrame({name: catalogue[name][where] for name in NUMBERS})
            frame["tag"] = catalogue["labels"][nights[key]]
            vectors = pd.DataFrame(catalogue["vectors"][where], columns=axes)
            frame = pd.concat([frame, vectors], axis=1)
            is_new = nights[f"{kind}|{number}|is_new"]
            new, earlier = (Dataset.from_pandas(frame[side], definition) for side in (is_new, ~is_new))
            report = Report([DataDriftPreset(columns=[*NUMBERS, "tag"]), EmbeddingsDrift(embeddings_name="v")])
            counts[kind].append(verdicts(report.run(new, earlier).dict()["metrics"]))
    for kind, found in counts.items():
        any_column, data_set, embeddings = np.mean(found, axis=0)
        print(f"Evidently, {kind}: any column {any_column:.1%}, data set {data_set:.1%}, embeddings {embeddings:.1%}")
    nights_judged = sum(map(len, counts.values()))
    print(f"Evidently: {nights_judged} nights, {(time.perf_counter() - began) / nights_judged:.2f} s a night")


def verdicts(metrics: list[dict]) -> list[bool]:
    """Return whether any column has drifted, whether the data set has, and whether the embeddings have."""
    counted = next(m["value"] for m in metrics if m["metric_name"].startswith("DriftedColumnsCount"))
    embeddings = next(m["value"] for m in metrics if m["metric_name"].startswith("EmbeddingsDrift"))
    return [counted["count"] > 0, counted["share"] >= 0.5, embeddings > 0.55]


if __name__ == "__main__":
    main(sys.argv[1])
