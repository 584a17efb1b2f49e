"""A training in several processes, which Spark starts: on this machine, or on those of a cluster."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch
from pyspark.ml.torch.distributor import TorchDistributor
from pyspark.sql import SparkSession
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, distributed

from vsearch_lib.errors import VsearchError
from vsearch_lib.storage import Store, open_store
from vsearch_lib.training.curve import Curve, curve_of
from vsearch_lib.training.local_snapshot import open_snapshot
from vsearch_lib.training.material import Material, read_material, save_material
from vsearch_lib.training.processes import Processes
from vsearch_lib.training.work import Work, do

_RESULT = "result.safetensors"


def do_together(
    spark: SparkSession, work: Work, material: Material, snapshots_uri: str, snapshot: str, *, processes: int
) -> tuple[dict[str, Tensor], Curve]:
    """Train in `processes` processes; return the weights by name, and the curve.

    With a local master they run on this machine, otherwise as Spark's tasks, one a process: then the executors need
    torch, and the storage of the snapshot. Each process with a GPU uses it.

    Raises:
        VsearchError: a process failed.
    """
    store, folder = open_store(snapshots_uri), f"{snapshot}/training/{work.digest}"
    with tempfile.TemporaryDirectory(prefix="vsearch-training-") as scratch:
        save_material(material, store, folder, Path(scratch))
    is_local = str(spark.sparkContext.master).startswith("local")
    distributor = TorchDistributor(num_processes=processes, local_mode=is_local, use_gpu=torch.cuda.is_available())
    try:
        distributor.run(_in_process, work, snapshots_uri, snapshot, folder)
        return _result(store, folder)
    except RuntimeError as error:
        raise VsearchError(f"a process of the training failed: {_cause(str(error))}") from None
    finally:
        for key in store.list(folder):
            store.delete(key)


def _in_process(work: Work, snapshots_uri: str, snapshot: str, folder: str) -> None:
    """Do the work of one process; torchrun has set what `init_process_group` reads."""
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        processes = Processes(distributed.get_rank(), distributed.get_world_size())
        is_first = processes.rank == 0
        with tempfile.TemporaryDirectory(prefix="vsearch-training-") as scratch:
            encoder, curve = do(
                work,
                read_material(open_store(snapshots_uri), folder, Path(scratch)),
                open_snapshot(snapshots_uri, snapshot, Path(scratch)),
                processes=processes,
                say=print if is_first else _nothing,
                progress=_nothing,
            )
            if is_first:
                file = Path(scratch) / _RESULT
                weights = {name: value.contiguous() for name, value in encoder.state_dict().items()}
                save_file(weights, file, metadata={"curve": json.dumps(asdict(curve))})
                open_store(snapshots_uri).write(f"{folder}/{_RESULT}", file)
    finally:
        distributed.destroy_process_group()


def _nothing(*_: object) -> None:
    """Say nothing."""


def _result(store: Store, folder: str) -> tuple[dict[str, Tensor], Curve]:
    with tempfile.TemporaryDirectory() as scratch:
        file = store.fetch(f"{folder}/{_RESULT}", Path(scratch) / _RESULT)
        with safe_open(file, "pt") as stored:
            weights = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
            return weights, curve_of(json.loads(stored.metadata()["curve"]))


def _cause(output: str) -> str:
    """Return the line of our own error in a process's output, or its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    ours = [line for line in lines if "VsearchError: " in line or "ArtefactError: " in line]
    return (ours or lines)[-1].split("Error: ", 1)[-1][:300]
