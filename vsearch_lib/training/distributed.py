"""A training in several processes, which Spark starts: on this machine, or on those of a cluster."""

import io
import json
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path

import torch
from pyspark.ml.torch.distributor import TorchDistributor
from pyspark.sql import SparkSession
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, distributed

from vsearch_lib.errors import UsageError, VsearchError
from vsearch_lib.storage import Store, open_store
from vsearch_lib.training.curve import Curve, curve_of
from vsearch_lib.training.local_snapshot import open_snapshot
from vsearch_lib.training.material import Material, read_material, save_material
from vsearch_lib.training.processes import Processes
from vsearch_lib.training.work import Work, do

_RESULT = "result.safetensors"
# A mistake in the settings has an exit code of its own.
_ERRORS: dict[type[VsearchError], str] = {UsageError: "usage_error.txt", VsearchError: "error.txt"}


def do_together(
    spark: SparkSession,
    work: Work,
    material: Material,
    snapshots_uri: str,
    snapshot: str,
    *,
    processes: int,
    say: Callable[[str], None],
) -> tuple[dict[str, Tensor], Curve]:
    """Train in `processes` processes; return the weights by name, and the curve.

    With a local master they run on this machine, otherwise as Spark's tasks, one a process: then the executors need
    torch, and the storage of the snapshot. Each process with a GPU uses it.

    Args:
        spark: the session.
        work: what to train.
        material: what it is made of.
        snapshots_uri: the folder of the snapshots, which all processes can read and write.
        snapshot: name of the snapshot.
        processes: how many.
        say: called with what the first process reports.

    Raises:
        UsageError: the settings ask for what the examples or the network do not have.
        VsearchError: a process failed.
    """
    store, folder = open_store(snapshots_uri), f"{snapshot}/training/{work.digest}"
    with tempfile.TemporaryDirectory(prefix="vsearch-training-") as scratch:
        save_material(material, store, folder, Path(scratch))
    is_local = str(spark.sparkContext.master).startswith("local")
    distributor = TorchDistributor(num_processes=processes, local_mode=is_local, use_gpu=torch.cuda.is_available())
    output = _Output(say)
    try:
        with redirect_stdout(output):
            distributor.run(_in_process, work, snapshots_uri, snapshot, folder)
        return _result(store, folder)
    except RuntimeError:
        for error, name in _ERRORS.items():
            if cause := store.read_versioned(f"{folder}/{name}"):
                raise error(cause.content.decode()) from None
        raise VsearchError(f"a process of the training failed: {output.last_line}") from None
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
    except VsearchError as error:
        name = _ERRORS[UsageError if isinstance(error, UsageError) else VsearchError]
        open_store(snapshots_uri).write_new(f"{folder}/{name}", str(error).encode())
        raise  # so that the other processes do not wait for this one
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


class _Output(io.TextIOBase):
    """What the processes print: the lines of the training are reported, the starter's talk is not."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._begun, self.last_line = say, "", "it printed nothing"

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in filter(None, map(str.strip, lines)):
            if line.startswith("train_encoder: "):
                self._say(line)
            self.last_line = line[:200]
        return len(text)
