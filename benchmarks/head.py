"""Trains the head on clothing photos with same-label pairs of the train split, and on half of the classes (open set).

    .venv/bin/python benchmarks/head.py ../shared/data/clothing

Features are those of EfficientNet-Lite0 with its packaged weights; queries are the test split, answers the train split.
"""

import csv
import hashlib
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from clothing_precision import average_precision
from numpy.typing import NDArray

from vsearch_lib.config import load_settings
from vsearch_lib.config.settings import Training
from vsearch_lib.embedding.features import features_recipe
from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.projection import Projection, fit_pca
from vsearch_lib.examples.boxes import PRIOR
from vsearch_lib.examples.snapshot import DESCRIPTION, Snapshot, SnapshotFile, encode
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.models.registration import to_graph
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.models.weights import initial_encoder, serialise
from vsearch_lib.paired import paired_difference
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot
from vsearch_lib.training.material import Material
from vsearch_lib.training.objectives.frozen import frozen_vectors
from vsearch_lib.training.validation import mutual_neighbours
from vsearch_lib.training.work import Work, do
from vsearch_lib.vectors import RowIds, Vectors

SETTINGS = load_settings("local")
PAIRS_PER_QUERY = 5
ROWS_PER_GROUP = 128
KEEP_FROZEN = 3.0  # the open set's


def features_of(clothing: Path, files: list[str]) -> Vectors:
    recipe = features_recipe(recipe_of(SETTINGS))
    encoder = initial_encoder(recipe, SETTINGS.model.weights, seed=1)
    embedder = Embedder(to_graph(encoder), encoder.preprocessing, batch_size=4)
    image = SETTINGS.image
    limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size)
    parts = [
        embedder.embed([normalise((clothing / file).read_bytes(), limits).jpeg for file in files[start : start + 64]])
        for start in range(0, len(files), 64)
    ]
    return np.concatenate(parts)


def snapshot_of(labels: NDArray[np.str_], folder: Path, *, seed: int, negatives: int = 0) -> LocalSnapshot:
    """Write a snapshot with pairs of one label, and all other such pairs as related; it holds no pictures.

    A picture with a label of its own is an example with itself. Each example gets so many `negatives` of other labels.
    """
    rng = np.random.default_rng(seed)
    members = {label: np.flatnonzero(labels == label) for label in np.unique(labels)}
    queries = np.repeat(np.arange(len(labels)), PAIRS_PER_QUERY)
    positives = np.array([rng.choice(members[labels[query]]) for query in queries])
    alone = np.array([len(members[label]) == 1 for label in labels])[queries]
    first = np.arange(len(queries)) % PAIRS_PER_QUERY == 0
    order = rng.permutation(np.flatnonzero((queries != positives) | (alone & first)))
    others = {label: np.flatnonzero(labels != label) for label in members} if negatives else {}
    one, other = np.nonzero(labels[:, None] == labels[None, :])
    numbers = np.arange(len(labels))
    tables = {
        "pictures": {
            "number": numbers,
            "group": numbers,
            "sha256": [hashlib.sha256(str(number).encode()).hexdigest() for number in numbers],
            "jpeg": pa.array([b""] * len(labels), pa.binary()),
        },
        "examples-0000": {
            "query": queries[order],
            "candidate_0": positives[order],
            **{
                f"candidate_{i}": np.array([rng.choice(others[labels[query]]) for query in queries[order]])
                for i in range(1, 1 + negatives)
            },
            "label": np.zeros(len(order), dtype=np.int32),
            "weight": np.ones(len(order), dtype=np.float32),
        },
        "related": {"group": one[one != other], "other_group": other[one != other]},
    }
    files = {}
    for name, columns in tables.items():
        path = folder / "s" / name / "00000.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table(columns), path, row_group_size=ROWS_PER_GROUP if "examples" in name else None)
        content = path.read_bytes()
        rows = len(next(iter(columns.values())))
        files[name] = SnapshotFile(f"{name}/00000.parquet", hashlib.sha256(content).hexdigest(), len(content), rows)
    parts = ((files["pictures"],), ((files["examples-0000"],),), (files["related"],))
    (folder / "s" / DESCRIPTION).write_bytes(encode(Snapshot("s", {}, 1 + negatives, *parts, PRIOR)))
    (folder / "copy").mkdir()
    return open_snapshot(str(folder), "s", folder / "copy")


def trained_head(
    features: Vectors,
    labels: NDArray[np.str_],
    train_rows: RowIds,
    validation: RowIds,
    training: Training,
    *,
    negatives: int = 0,
) -> tuple[Projection, Projection, float]:
    """Return the projection before and after the training on pairs of one label, and the seconds of the training."""
    start, _ = fit_pca(features[train_rows], dimension=SETTINGS.model.dimension, seed=training.seed)
    encoder = initial_encoder(recipe_of(SETTINGS), "none", seed=1)
    assert encoder.projection is not None
    encoder.projection.set_to(start)
    catalogue = np.concatenate([validation, train_rows])
    relevant = labels[validation][:, None] == labels[catalogue][None, :]
    np.fill_diagonal(relevant, val=False)
    if len(np.unique(labels)) == len(labels):  # nobody has labelled them
        relevant = mutual_neighbours(features[catalogue], len(validation))
    frozen = frozen_vectors(features[train_rows], start)
    material = Material(serialise(encoder), features[train_rows][:, None], frozen, features[catalogue], [], relevant)
    with tempfile.TemporaryDirectory() as folder:
        snapshot = snapshot_of(labels[train_rows], Path(folder), seed=training.seed, negatives=negatives)
        shape = (encoder.backbone_name, encoder.dimension, encoder.preprocessing)
        work = Work(*shape, training, "head", is_usable=True, checkpoints_uri=f"{folder}/c", digest="head")
        began = time.perf_counter()
        trained, _ = do(work, material, snapshot, say=print, progress=lambda *_: None)
        assert trained.projection is not None
        return start, trained.projection.as_arrays(), time.perf_counter() - began


def precisions(
    projection: Projection, features: Vectors, labels: NDArray[np.str_], queries: RowIds, answers: RowIds
) -> tuple[float, float, list[float]]:
    """Return R@1, P@10, and the average precision of each query."""
    vectors = projection.apply(features)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = answers[np.argsort(-vectors[queries] @ vectors[answers].T, axis=1, kind="stable")]
    right = labels[order] == labels[queries][:, None]
    average = [average_precision(row, int(row.sum())) for row in right]
    return float(right[:, 0].mean()), float(right[:, :10].mean()), average


def main(clothing: str) -> None:
    """Print the figures of PCA and of the head, for three seeds, on all classes and on classes never trained on."""
    with (Path(clothing) / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    labels, split = (np.array([row[column] for row in rows]) for column in ("label", "split"))
    features = features_of(Path(clothing), [row["file"] for row in rows])

    def measure(name: str, trained_on: NDArray[np.bool_], asked: NDArray[np.bool_], **changes: float) -> None:
        train_rows = np.flatnonzero((split == "train") & trained_on)
        validation = np.flatnonzero((split == "validation") & trained_on)
        queries, answers = np.flatnonzero((split == "test") & asked), np.flatnonzero((split == "train") & asked)
        for seed in (1, 2, 3):
            training = SETTINGS.training.model_copy(update={"seed": seed, **changes})
            before, after, seconds = trained_head(features, labels, train_rows, validation, training)
            results = [precisions(p, features, labels, queries, answers) for p in (before, after)]
            gain = paired_difference(results[1][2], results[0][2], seed=seed)
            for system, (at_1, at_10, average) in zip(("PCA", "head"), results, strict=True):
                print(f"{name}, seed {seed}, {system}: R@1 {at_1:.3f}, P@10 {at_10:.3f}, mAP {np.mean(average):.3f}")
            print(f"  gain in mAP {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}), {seconds:.0f} s", flush=True)

    names = np.unique(labels)
    every = np.isin(labels, names)
    measure("all classes", every, every)
    measure(f"all classes, keep_frozen {KEEP_FROZEN:g}", every, every, keep_frozen=KEEP_FROZEN)
    for half in (names[5:], names[:5], names[1::2], names[::2]):
        seen = np.isin(labels, half)
        for weight in (0, KEEP_FROZEN):
            measure(f"trained on {', '.join(half)}; keep_frozen {weight:g}", seen, ~seen, keep_frozen=weight)


if __name__ == "__main__":
    main(sys.argv[1])
