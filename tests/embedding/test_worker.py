"""A worker process loads its network once, on the device that Spark assigns."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from vsearch_lib.embedding import worker
from vsearch_lib.encoder.network import untrained
from vsearch_lib.models import torch_embed
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe


class Task:
    """A task context with the cores and GPUs that the task may use."""

    def __init__(self, cores: int, *gpus: str) -> None:
        self._cores, self._gpus = cores, gpus

    def cpus(self) -> int:
        return self._cores

    def resources(self) -> dict[str, SimpleNamespace]:
        return {"gpu": SimpleNamespace(addresses=list(self._gpus))} if self._gpus else {}


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_embedders", {})
    encoder = untrained("small", dimension=16, seed=1, side=32)
    register(str(tmp_path), encoder, version="m1", recipe=Recipe("small", "none", 16, 32, "full"), run_id="run-1")
    return load_model(str(tmp_path), "m1")


@pytest.fixture
def embedder_in(model, monkeypatch):
    """A function that returns the embedder of a task."""

    def embedder(task: Task):
        monkeypatch.setattr(worker, "_context", lambda: task)
        return worker.task_embedder(model, 4)

    return embedder


def test_a_network_is_loaded_once_for_all_tasks_of_a_process(embedder_in):
    first = embedder_in(Task(1))
    assert embedder_in(Task(1)) is first
    assert embedder_in(Task(2)) is not first


def test_a_task_with_a_gpu_embeds_on_it(tmp_path, model, embedder_in, monkeypatch):
    made = []
    monkeypatch.setattr(torch_embed, "TorchEmbedder", lambda *args, **kwargs: made.append((args, kwargs)))
    embedder_in(Task(1, "3"))
    assert made == [((str(tmp_path), model.card), {"batch_size": 4, "threads": 1, "device": "cuda:3"})]
