"""Lets Evidently judge the nights that `drift.py` has stored; run by that script, in Evidently's own environment.

Its verdicts with its defaults are printed: on how many nights its preset calls any column drifted, on how many the
data set, which is half of the columns, and on how many a classifier tells the embeddings apart (area under its curve
above .55).
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.metrics.embeddings import EmbeddingsDrift
from evidently.presets import DataDriftPreset

NUMBERS = ("brightness", "sharpness", "nearest")
NIGHTS = 30  # of each kind at most: it takes ten times as long as our tests do


def main(folder: str) -> None:
    """Print a line for each kind of night."""
    with np.load(Path(folder) / "catalogue.npz") as arrays:
        catalogue = dict(arrays)
    axes = [f"axis_{i}" for i in range(catalogue["vectors"].shape[2])]
    definition = DataDefinition(numerical_columns=list(NUMBERS), categorical_columns=["tag"], embeddings={"v": axes})
    with np.load(Path(folder) / "nights.npz") as nights:
        for kind in dict.fromkeys(key.split("|")[0] for key in nights):
            numbers = sorted({int(key.split("|")[1]) for key in nights if key.startswith(f"{kind}|")})[:NIGHTS]
            began, found = time.perf_counter(), []
            for number in numbers:
                photos, versions, is_new = (nights[f"{kind}|{number}|{p}"] for p in ("photos", "versions", "is_new"))
                frame = pd.DataFrame({name: catalogue[name][versions, photos] for name in NUMBERS})
                frame["tag"] = catalogue["labels"][photos]
                vectors = pd.DataFrame(catalogue["vectors"][versions, photos], columns=axes)
                frame = pd.concat([frame, vectors], axis=1)
                new, earlier = (Dataset.from_pandas(frame[side], definition) for side in (is_new, ~is_new))
                report = Report([DataDriftPreset(columns=[*NUMBERS, "tag"]), EmbeddingsDrift(embeddings_name="v")])
                found.append(verdicts(report.run(new, earlier).dict()["metrics"]))
            any_column, data_set, embeddings = np.sum(found, axis=0)
            seconds = (time.perf_counter() - began) / len(found)
            print(
                f"Evidently, {kind}, of {len(found)} nights: any column {any_column}, data set {data_set}, "
                f"embeddings {embeddings}; {seconds:.1f} s a night",
                flush=True,
            )


def verdicts(metrics: list[dict]) -> list[bool]:
    """Return whether any column has drifted, whether the data set has, and whether the embeddings have."""
    counted = next(m["value"] for m in metrics if m["metric_name"].startswith("DriftedColumnsCount"))
    embeddings = next(m["value"] for m in metrics if m["metric_name"].startswith("EmbeddingsDrift"))
    return [counted["count"] > 0, counted["share"] >= 0.5, embeddings > 0.55]


if __name__ == "__main__":
    main(sys.argv[1])
