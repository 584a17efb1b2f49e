"""Measures the default backbone in int8 beside bfloat16 and float32: speed, vectors, and what they find.

    .venv/bin/uv pip install --target var/nncf -c conf/locks/jobs.txt nncf
    PYTHONPATH=.:var/nncf .venv/bin/python benchmarks/int8.py ../shared/data/clothing

NNCF quantises the graph that the registry stores, calibrated on photos of the train split. All kinds run in turns, in
one process on one core. Vectors are features projected to the principal axes of the train split in float32.
"""

import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nncf
import numpy as np
import openvino
from clothing_precision import average_precision

from vsearch_lib.config import load_settings
from vsearch_lib.embedding.features import features_recipe
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.encoder.projection import Projection, fit_pca
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.models.registration import to_graph
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.vectors import Vectors

SETTINGS = load_settings("local")
CALIBRATION_PHOTOS = 300
TURN_PHOTOS = 400
BATCH = 4
SEED = 17


class Kind:
    """A compiled network with the features and the seconds of each turn."""

    def __init__(self, model: openvino.Model, side: int, *, others: str) -> None:
        """Compile `model` for one core; layers that are not quantised run in the precision `others`."""
        model = model.clone()
        model.reshape([BATCH, side, side, 3])
        options = {"INFERENCE_PRECISION_HINT": others, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
        self._request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
        self._parts: list[Vectors] = []
        self.rates: list[float] = []

    def turn(self, squares: np.ndarray) -> None:
        """Compute features of `squares`, whole batches; the rest of the last batch is filled up."""
        began = time.perf_counter()
        for start in range(0, len(squares), BATCH):
            batch = squares[start : start + BATCH]
            filled = np.resize(batch, (BATCH, *batch.shape[1:]))
            self._parts.append(self._request.infer(filled)[0][: len(batch)].copy())
        self.rates.append(len(squares) / (time.perf_counter() - began))

    def features(self) -> Vectors:
        """Return the features of all turns, of unit length."""
        return unit(np.concatenate(self._parts))


def unit(vectors: Vectors) -> Vectors:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def squares_of(clothing: Path, files: Sequence[str], preprocessing: Preprocessing) -> np.ndarray:
    """Return what the network takes of each photo, (n, side, side, 3) uint8, by way of its stored form."""
    image = SETTINGS.image
    limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size, image.max_aspect)
    return np.stack([preprocessing.square(normalise((clothing / file).read_bytes(), limits).jpeg) for file in files])


def mean_average_precision(vectors: Vectors, labels: np.ndarray, split: np.ndarray) -> float:
    """Return mAP by label: photos of the test split are searched in the train split."""
    train, test = np.flatnonzero(split == "train"), np.flatnonzero(split == "test")
    order = train[np.argsort(-vectors[test] @ vectors[train].T, axis=1, kind="stable")]
    right = labels[order] == labels[test][:, None]
    return float(np.mean([average_precision(row, int(row.sum())) for row in right]))


def main(clothing: Path) -> None:
    """Print the figures of each kind."""
    with (clothing / "metadata.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] in ("train", "test")]
    labels, split = (np.array([row[column] for row in rows]) for column in ("label", "split"))
    encoder = initial_encoder(features_recipe(recipe_of(SETTINGS)), SETTINGS.model.weights, seed=SEED)
    side, graph = encoder.preprocessing.side, to_graph(encoder)
    squares = squares_of(clothing, [row["file"] for row in rows], encoder.preprocessing)
    train = np.flatnonzero(split == "train")
    calibration = np.random.default_rng(SEED).choice(train, CALIBRATION_PHOTOS, replace=False)
    began = time.perf_counter()
    quantised = nncf.quantize(
        graph.model(), nncf.Dataset([squares[i : i + 1] for i in calibration]), subset_size=CALIBRATION_PHOTOS
    )
    print(f"quantised in {time.perf_counter() - began:.0f} s", flush=True)
    kinds = {
        "float32": Kind(graph.model(), side, others="f32"),
        "bfloat16, a quarter in float32 (as the project embeds)": Kind(graph.model(), side, others="bf16"),
        "int8, the rest in float32": Kind(quantised, side, others="f32"),
        "int8, the rest in bfloat16": Kind(quantised, side, others="bf16"),
    }
    for start in range(0, len(squares), TURN_PHOTOS):
        for kind in kinds.values():
            kind.turn(squares[start : start + TURN_PHOTOS])
    exact = kinds["float32"].features()
    projection, _ = fit_pca(exact[train], dimension=SETTINGS.model.dimension, seed=SEED)
    report(kinds, projection, unit(projection.apply(exact)), labels, split)


def report(
    kinds: dict[str, Kind], projection: Projection, exact: Vectors, labels: np.ndarray, split: np.ndarray
) -> None:
    """Print each kind's speed, the cosines of its vectors with the `exact` ones, and mAP."""
    for name, kind in kinds.items():
        vectors = unit(projection.apply(kind.features()))
        lowest, low, middle = np.quantile((vectors * exact).sum(axis=1), (0, 0.05, 0.5))
        found = mean_average_precision(vectors, labels, split)
        slowest, rate, fastest = np.quantile(kind.rates, (0, 0.5, 1))
        print(
            f"{name}: {rate:.0f} photos/s ({slowest:.0f} to {fastest:.0f}), cosine with float32: median {middle:.4f}, "
            f"5 % below {low:.4f}, lowest {lowest:.4f}; mAP {found:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
