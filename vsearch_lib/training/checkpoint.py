"""The state of a training after its last whole epoch, in a file: a killed run goes on from there."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vsearch_lib.storage import Store
from vsearch_lib.training.curve import Curve, curve_of


@dataclass(frozen=True)
class State:
    """What a training knows after an epoch, besides the weights.

    Attributes:
        curve: so far.
        start: the weights before the training.
        best: the weights of the best epoch.
        recalls_at_start: (queries,) with the weights before the training, none if they are not known.
        best_recalls: (queries,) with the best weights, none if they are not known.
        epochs: that the training has in all.
        steps: of each epoch.
    """

    curve: Curve
    start: Mapping[str, Tensor]
    best: Mapping[str, Tensor]
    recalls_at_start: Tensor
    best_recalls: Tensor
    epochs: int
    steps: int


class Checkpoint:
    """A checkpoint in a store, so that a run on another machine goes on too.

    Args:
        store: has the file.
        key: of the file; it follows from all that the training depends on, so that another training has another file.
        say: called with a line if a training goes on, or begins again because the file cannot be read.
    """

    def __init__(self, store: Store, key: str, say: Callable[[str], None]) -> None:
        self._store, self._key, self._say = store, key, say

    def restore(self, network: nn.Module, objective: nn.Module, optimiser: torch.optim.Optimizer) -> State | None:
        """Load the three as they were; return the rest of the state, None if there is no state."""
        if self._key not in self._store.list(""):
            return None
        try:
            with tempfile.TemporaryDirectory() as folder:
                file = self._store.fetch(self._key, Path(folder) / "state")
                with safe_open(file, "pt") as stored:
                    metadata = stored.metadata()
                    curve = curve_of(json.loads(metadata["curve"]))
                    epochs, steps = int(metadata["epochs"]), int(metadata["steps"])
                    tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118 - not a dict
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict({"state": _by_weight(_part(tensors, "optimiser")), "param_groups": groups})
            network.load_state_dict(_part(tensors, "network"))
            objective.load_state_dict(_part(tensors, "objective"))
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
            line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            self._say(
                f"train_encoder: {self._store.uri}/{self._key} cannot be read ({line}); the training begins again"
            )
            return None
        self._say(
            f"train_encoder: an earlier run was interrupted; the training goes on after epoch {len(curve.epochs)}"
        )
        recalls = _part(tensors, "recalls")
        weights = (_part(tensors, "start"), _part(tensors, "best"))
        return State(curve, *weights, recalls["start"], recalls["best"], epochs, steps)

    def save(self, network: nn.Module, objective: nn.Module, optimiser: torch.optim.Optimizer, state: State) -> None:
        """Replace the file by the current state."""
        moments = optimiser.state_dict()["state"]
        tensors = {
            **{f"network/{name}": value for name, value in network.state_dict().items()},
            **{f"objective/{name}": value for name, value in objective.state_dict().items()},
            **{f"start/{name}": value for name, value in state.start.items()},
            **{f"best/{name}": value for name, value in state.best.items()},
            "recalls/start": state.recalls_at_start,
            "recalls/best": state.best_recalls,
            **{f"optimiser/{i}/{name}": value for i, values in moments.items() for name, value in values.items()},
        }
        # `clone`: the format refuses tensors that share memory.
        contents = {key: value.detach().clone(memory_format=torch.contiguous_format) for key, value in tensors.items()}
        plan = {"epochs": str(state.epochs), "steps": str(state.steps)}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "state"
            save_file(contents, file, metadata={"curve": json.dumps(asdict(state.curve)), **plan})
            self._store.write(self._key, file)

    def remove(self) -> None:
        """Delete the file: its training is over."""
        self._store.delete(self._key)


def _part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}


def _by_weight(moments: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Return the optimiser's tensors by the number of the weight that they belong to."""
    found: dict[int, dict[str, Tensor]] = {}
    for key, value in moments.items():
        number, name = key.split("/")
        found.setdefault(int(number), {})[name] = value
    return found
