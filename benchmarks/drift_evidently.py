"""Lets Evidently judge the nights that `drift.py` has stored; run by that script, in Evidently's own environment.

Its verdicts with its defaults are printed: on how many nights its preset calls any column drifted, on how many the
data set, which is half of the columns, and on how many a classifier tells the embeddings apart (area under its curve
above .55). Columns are judged on every night, embeddings on the first ones of each kind: they take far longer.
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
EMBEDDING_NIGHTS = 5  # of each kind


def main(folder: str) -> None:
    """Print a line for each kind of night."""
    with np.load(Path(folder) / "catalogue.npz") as arrays:
        catalogue = dict(arrays)
    axes = [f"axis_{i}" for i in range(catalogue["vectors"].shape[2])]
    columns_only = DataDefinition(numerical_columns=list(NUMBERS), categorical_columns=["tag"])
    vectors_only = DataDefinition(embeddings={"v": axes})
    with np.load(Path(folder) / "nights.npz") as nights:
        for kind in dict.fromkeys(key.split("|")[0] for key in nights):
            numbers = sorted({int(key.split("|")[1]) for key in nights if key.startswith(f"{kind}|")})
            began, columns, embeddings = time.perf_counter(), [], []
            for number in numbers:
                photos, versions, is_new = (nights[f"{kind}|{number}|{p}"] for p in ("photos", "versions", "is_new"))
                frame = pd.DataFrame({name: catalogue[name][versions, photos] for name in NUMBERS})
                frame["tag"] = catalogue["labels"][photos]
                columns.append(columns_drifted(judged(frame, is_new, DataDriftPreset(), columns_only)))
                if len(embeddings) < EMBEDDING_NIGHTS:
                    vectors = pd.DataFrame(catalogue["vectors"][versions, photos], columns=axes)
                    metric = EmbeddingsDrift(embeddings_name="v")
                    embeddings.append(embeddings_drifted(judged(vectors, is_new, metric, vectors_only)))
            any_column, data_set = np.sum(columns, axis=0)
            print(
                f"Evidently, {kind}: of {len(columns)} nights any column {any_column}, data set {data_set}; "
                f"of {len(embeddings)} embeddings {sum(embeddings)}; {time.perf_counter() - began:.0f} s",
                flush=True,
            )


def judged(frame: pd.DataFrame, is_new: np.ndarray, metric: object, columns: DataDefinition) -> list:
    """Return what Evidently says about the new rows against the others."""
    new, earlier = (Dataset.from_pandas(frame[side], columns) for side in (is_new, ~is_new))
    return Report([metric]).run(new, earlier).dict()["metrics"]


def columns_drifted(metrics: list[dict]) -> tuple[bool, bool]:
    """Return whether any column has drifted, and whether the data set has."""
    counted = next(m["value"] for m in metrics if m["metric_name"].startswith("DriftedColumnsCount"))
    return counted["count"] > 0, counted["share"] >= 0.5


def embeddings_drifted(metrics: list[dict]) -> bool:
    """Return whether the embeddings have drifted."""
    return next(m["value"] for m in metrics if m["metric_name"].startswith("EmbeddingsDrift")) > 0.55


if __name__ == "__main__":
    main(sys.argv[1])
