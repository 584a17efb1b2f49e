"""On a cluster of real processes the vectors are those of one machine, even if an executor is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.support.small_model import SMALL
from vsearch_lib.config import PROJECT
from vsearch_lib.models.load import load_model

IMAGES = 60


def executors(folder: Path) -> list[int]:
    """Return the ids of the processes that run tasks of the cluster below `folder`: another test may have one too."""
    process_ids = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            working_folder = Path(os.readlink(process / "cwd"))
        except OSError:
            continue
        if "CoarseGrainedExecutorBackend" in command and working_folder.is_relative_to(folder):
            process_ids.append(int(process.name))
    return process_ids


def test_a_killed_executor_changes_no_vector(catalogue, draw, master, wait, tmp_path_factory):
    jpegs = {f"image-{seed:03d}": draw(seed) for seed in range(IMAGES)}
    catalogue.land(jpegs)
    pending = Path(catalogue.settings.lake.uri) / "pending_embeddings" / "m1"
    chosen = [f"--set={s}" for s in (f"var={catalogue.settings.var}", f"spark.master={master}", *SMALL)]
    command = [sys.executable, PROJECT / "jobs" / "embed_images.py", "--env=demo", *chosen]
    command.append("--set=embedding.images_per_task=1")
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait(lambda: len(list(pending.glob("*.parquet"))) > IMAGES // 10 or job.poll() is not None)
    written = len(list(pending.glob("*.parquet")))
    os.kill(executors(tmp_path_factory.getbasetemp())[0], signal.SIGKILL)
    out, err = job.communicate(timeout=300)
    assert job.returncode == 0, err
    assert 0 < written < IMAGES // 2
    assert f'images_embedded["model m1",all]={IMAGES}' in out
    embedder = load_model(catalogue.settings.models.uri, "m1").embedder(batch_size=8)
    vectors = catalogue.vectors()
    assert set(vectors) == set(jpegs)
    expected = embedder.embed(list(jpegs.values()))
    assert (np.stack([vectors[name] for name in jpegs]) * expected).sum(axis=1).min() >= 0.9999
    assert not list((Path(catalogue.settings.var) / "checkpoints").rglob("part-*"))
