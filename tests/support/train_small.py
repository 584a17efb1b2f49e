"""Trains a small head in a process of its own: `python -m tests.support.train_small FOLDER` prints each step.

The final weights are written to `FOLDER/axes.npy`; the checkpoints are in `FOLDER/checkpoints`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from tests.support.small_snapshot import grey, write_snapshot
from vsearch_lib.config import load_settings
from vsearch_lib.encoder.network import untrained
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.models.weights import serialise
from vsearch_lib.training.local_snapshot import open_snapshot
from vsearch_lib.training.material import Material
from vsearch_lib.training.work import Work, do

PICTURES, STEPS, EPOCHS = 40, 10, 4
WIDTH = 256  # of the small network's features


def main(folder: Path) -> None:
    """Train for `EPOCHS` epochs of `STEPS` steps."""
    if not (folder / "s1").exists():
        examples = [([i, i + 20, (i + 7) % 20], 0, 1.0) for i in range(20)]
        write_snapshot(folder, [grey(i) for i in range(PICTURES)], list(range(PICTURES)), [examples])
    rng = np.random.default_rng(5)
    features = rng.standard_normal((PICTURES, 3, WIDTH)).astype(np.float32)
    relevant = np.zeros((0, 0), dtype=np.bool_)
    start = serialise(untrained("small", dimension=8, seed=3, side=32))
    chosen = {"epochs": EPOCHS, "batch_size": 2, "learning_rate": 0.01, "dropout": 0.2}
    work = Work(
        "small",
        8,
        Preprocessing(32, (0.5,) * 3, (0.5,) * 3),
        load_settings("demo").training.model_copy(update=chosen),
        "head",
        is_usable=True,
        checkpoints_uri=str(folder / "checkpoints"),
        digest="d1",
    )
    (folder / "copy").mkdir(exist_ok=True)
    encoder, _ = do(
        work,
        Material(start, features, None, np.zeros((0, WIDTH), np.float32), [], relevant),
        open_snapshot(str(folder), "s1", folder / "copy"),
        say=lambda line: print(line, flush=True),
        progress=lambda done, total: print(f"step {done}", flush=True),
    )
    np.save(folder / "axes.npy", encoder.projection.axes.detach().numpy())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
