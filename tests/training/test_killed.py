"""A training that is killed in the middle of an epoch ends, run again, with the weights of an unbroken one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.support.train_small import STEPS, main


def training(folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.support.train_small", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_training_ends_with_the_weights_of_an_unbroken_one(tmp_path):
    killed = training(tmp_path / "killed")
    (tmp_path / "unbroken").mkdir()
    main(tmp_path / "unbroken")
    for line in killed.stdout:
        if line.strip() == f"step {2 * STEPS + STEPS // 2}":  # in the middle of the third epoch
            killed.send_signal(signal.SIGKILL)
            break
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "axes.npy").exists()
    again = training(tmp_path / "killed")
    said, _ = again.communicate(timeout=120)
    assert again.returncode == 0
    assert "the training goes on after epoch 2" in said
    assert f"step {2 * STEPS + 1}\n" in said
    assert f"step {2 * STEPS}\n" not in said
    assert np.array_equal(*(np.load(tmp_path / name / "axes.npy") for name in ("unbroken", "killed")))
