"""The state of a training after its last whole epoch, in a local file: a killed run goes on from there."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vsearch_lib.training.curve import Curve, Epoch


@dataclass(frozen=True)
class State:
    """A curve, and the weights of the best epoch."""

    curve: Curve
    best: Mapping[str, Tensor]


class Checkpoint:
    """A checkpoint file.

    Args:
        file: its name follows from all that the training depends on, so that another training has another file.
        say: called with a line if a training goes on, or begins again because the file cannot be read.
    """

    def __init__(self, file: Path, say: Callable[[str], None]) -> None:
        self._file, self._say = file, say

    def restore(self, network: nn.Module, optimiser: torch.optim.Optimizer) -> State | None:
        """Load weights and optimiser as they were; return the rest of the state, None if there is no state."""
        if not self._file.exists():
            return None
        try:
            with safe_open(self._file, "pt") as stored:
                curve = _curve(json.loads(stored.metadata()["curve"]))
                tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118 - not a dict
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict({"state": _by_weight(_part(tensors, "optimiser")), "param_groups": groups})
            network.load_state_dict(_part(tensors, "network"))
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
            line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            self._say(f"train_encoder: {self._file} cannot be read ({line}); the training begins again")
            return None
        self._say(
            f"train_encoder: an earlier run was interrupted; the training goes on after epoch {len(curve.epochs)}"
        )
        return State(curve, _part(tensors, "best"))

    def save(self, network: nn.Module, optimiser: torch.optim.Optimizer, state: State) -> None:
        """Replace the file by the current state."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        moments = optimiser.state_dict()["state"]
        tensors = {
            **{f"network/{name}": value for name, value in network.state_dict().items()},
            **{f"best/{name}": value for name, value in state.best.items()},
            **{f"optimiser/{i}/{name}": value for i, values in moments.items() for name, value in values.items()},
        }
        part = self._file.with_suffix(".part")
        # `clone`: the format refuses tensors that share memory.
        contents = {key: value.detach().clone(memory_format=torch.contiguous_format) for key, value in tensors.items()}
        save_file(contents, part, metadata={"curve": json.dumps(asdict(state.curve))})
        os.replace(part, self._file)

    def remove(self) -> None:
        """Delete the file: its training is over."""
        self._file.unlink(missing_ok=True)


def _curve(fields: dict[str, object]) -> Curve:
    epochs, start = fields["epochs"], fields["recall_at_start"]
    if not isinstance(epochs, list) or not isinstance(start, float | None):
        raise TypeError("it holds no curve")
    return Curve(start, tuple(Epoch(**epoch) for epoch in epochs))


def _part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}


def _by_weight(moments: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Return the optimiser's tensors by the number of the weight that they belong to."""
    found: dict[int, dict[str, Tensor]] = {}
    for key, value in moments.items():
        number, name = key.split("/")
        found.setdefault(int(number), {})[name] = value
    return found
