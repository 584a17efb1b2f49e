"""A training in two processes ends with the weights of one process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.support.photo_catalogue import picture
from tests.support.small_snapshot import write_snapshot
from tests.support.standalone_cluster import standalone_cluster
from vsearch_lib.config import PROJECT, load_settings
from vsearch_lib.encoder.network import Encoder, untrained
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.errors import UsageError
from vsearch_lib.models.weights import serialise
from vsearch_lib.storage import open_store
from vsearch_lib.training.curve import Curve
from vsearch_lib.training.distributed import do_together
from vsearch_lib.training.local_snapshot import open_snapshot
from vsearch_lib.training.material import Material, read_material, save_material
from vsearch_lib.training.work import Work, do

PICTURES = 40
SIDE = 32
WIDTH = 256  # of the small network's features


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("snapshots")
    examples = [([i, i + 20, (i + 7) % 20], 0, 1.0) for i in range(20)]
    write_snapshot(folder, [picture(i % 20) for i in range(PICTURES)], list(range(PICTURES)), [examples])
    return folder


def work(snapshots: Path, depth: str, name: str) -> Work:
    settings = load_settings("demo").training
    chosen = {
        "epochs": 2,
        "batch_size": 10,
        "learning_rate": 0.001,
        "dropout": 0.2,
        "objective": "queue",
        "keep_frozen": 0.1,
    }
    return Work(
        "small",
        8,
        Preprocessing(SIDE, (0.5,) * 3, (0.5,) * 3),
        settings.model_copy(update=chosen),
        depth,
        is_usable=True,
        checkpoints_uri=str(snapshots / "checkpoints"),
        digest=name,
    )


def material(depth: str) -> Material:
    rng = np.random.default_rng(5)
    features = rng.standard_normal((PICTURES, 3, WIDTH)).astype(np.float32)
    frozen = rng.standard_normal((PICTURES, 5)).astype(np.float32)
    validation = rng.standard_normal((50, WIDTH)).astype(np.float32)
    relevant = rng.random((25, 50)) < 0.2
    np.fill_diagonal(relevant, val=False)
    jpegs = [picture(i) for i in range(50)] if depth == "full" else []
    return Material(
        serialise(untrained("small", dimension=8, seed=3, side=SIDE)), features, frozen, validation, jpegs, relevant
    )


def in_two_processes(spark: SparkSession, snapshots: Path) -> tuple[dict[str, Tensor], Curve]:
    chosen = work(snapshots, "full", "two")  # the head first, then the whole network
    return do_together(spark, chosen, material("full"), str(snapshots), "s1", processes=2, say=lambda _: None)


def in_one_process(snapshots: Path, folder: Path) -> tuple[Encoder, Curve]:
    snapshot = open_snapshot(str(snapshots), "s1", folder)
    return do(work(snapshots, "full", "one"), material("full"), snapshot, say=print, progress=lambda *_: None)


def assert_same(weights: dict[str, Tensor], expected: Encoder) -> None:
    start = untrained("small", dimension=8, seed=3, side=SIDE).state_dict()
    for name, value in expected.state_dict().items():
        change = (value - start[name]).abs().max()
        assert (weights[name] - value).abs().max() <= 0.02 * change + 1e-6, name


def test_two_processes_end_with_the_weights_and_the_curve_of_one(spark, snapshots, tmp_path):
    alone, expected = in_one_process(snapshots, tmp_path)
    weights, curve = in_two_processes(spark, snapshots)
    assert [e.loss for e in curve.epochs] == pytest.approx([e.loss for e in expected.epochs], rel=1e-3)
    assert_same(weights, alone)
    assert not open_store(str(snapshots)).list("s1/training")


def train_on_a_cluster(master: str, snapshots: str, file: str) -> None:
    """Train in two processes on executors of `master`; this is called in a process of its own."""
    spark = SparkSession.builder.master(master).config("spark.ui.enabled", "false").getOrCreate()
    try:
        save_file(in_two_processes(spark, Path(snapshots))[0], file)
    finally:
        spark.stop()


@pytest.mark.slow
def test_two_executors_of_a_cluster_end_with_the_weights_of_one_process(snapshots, tmp_path):
    environment = {"PYTHONPATH": str(PROJECT), "PYSPARK_PYTHON": sys.executable}
    call = (
        "import sys; from tests.training.test_distributed import train_on_a_cluster; train_on_a_cluster(*sys.argv[1:])"
    )
    with standalone_cluster(tmp_path, **environment) as master:
        command = [sys.executable, "-c", call, master, str(snapshots), str(tmp_path / "weights")]
        subprocess.run(command, env={**os.environ, **environment}, check=True, cwd=PROJECT, timeout=600)
    assert_same(load_file(tmp_path / "weights"), in_one_process(snapshots, tmp_path)[0])


def test_material_is_read_as_it_was_saved(tmp_path):
    (tmp_path / "scratch").mkdir()
    given, store = material("full"), open_store(str(tmp_path / "store"))
    save_material(given, store, "a/b", tmp_path / "scratch")
    read = read_material(store, "a/b", tmp_path / "scratch")
    assert (read.start, read.validation_jpegs) == (given.start, given.validation_jpegs)
    for name in ("features", "frozen", "validation_features", "relevant"):
        assert np.array_equal(getattr(read, name), getattr(given, name))


def test_an_error_in_a_process_is_reported_in_one_line_with_its_exit_code(spark, snapshots):
    random_start = replace(material("head"), frozen=None)
    chosen = work(snapshots, "head", "broken")  # it keeps the similarities from before the training
    with pytest.raises(UsageError, match=r"^training.keep_frozen needs a pretrained backbone[^\n]*$"):
        do_together(spark, chosen, random_start, str(snapshots), "s1", processes=2, say=print)
