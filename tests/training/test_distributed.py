"""A training in two processes ends with the weights of one process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.photo_catalogue import picture
from tests.support.small_snapshot import write_snapshot
from vsearch_lib.config import load_settings
from vsearch_lib.encoder.network import untrained
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.errors import VsearchError
from vsearch_lib.models.weights import serialise
from vsearch_lib.storage import open_store
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


def test_two_processes_end_with_the_weights_and_the_curve_of_one(spark, snapshots, tmp_path):
    depth = "full"  # the head first, then the whole network
    given, snapshot = material(depth), open_snapshot(str(snapshots), "s1", tmp_path)
    alone, expected = do(work(snapshots, depth, "one"), given, snapshot, say=print, progress=lambda *_: None)
    said: list[str] = []
    weights, curve = do_together(
        spark, work(snapshots, depth, "two"), given, str(snapshots), "s1", processes=2, say=said.append
    )
    assert [e.loss for e in curve.epochs] == pytest.approx([e.loss for e in expected.epochs], rel=1e-3)
    start = untrained("small", dimension=8, seed=3, side=SIDE).state_dict()
    for name, value in alone.state_dict().items():
        change = (value - start[name]).abs().max()
        assert (weights[name] - value).abs().max() <= 0.02 * change + 1e-6, name
    assert not open_store(str(snapshots)).list("s1/training")


def test_material_is_read_as_it_was_saved(tmp_path):
    (tmp_path / "scratch").mkdir()
    given, store = material("full"), open_store(str(tmp_path / "store"))
    save_material(given, store, "a/b", tmp_path / "scratch")
    read = read_material(store, "a/b", tmp_path / "scratch")
    assert (read.start, read.validation_jpegs) == (given.start, given.validation_jpegs)
    for name in ("features", "frozen", "validation_features", "relevant"):
        assert np.array_equal(getattr(read, name), getattr(given, name))


def test_an_error_in_a_process_is_reported_in_one_line(spark, snapshots):
    broken = material("head")
    broken.features[:] = np.nan
    said = []
    with pytest.raises(VsearchError, match=r"^the training stopped: its loss is no number any more;"):
        do_together(
            spark, work(snapshots, "head", "broken"), broken, str(snapshots), "s1", processes=2, say=said.append
        )
