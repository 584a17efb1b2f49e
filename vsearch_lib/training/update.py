"""One step of a training: vectors of a batch, their loss, and the change of the weights."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vsearch_lib.errors import VsearchError
from vsearch_lib.training.device import fast_precision
from vsearch_lib.training.feed import Batch
from vsearch_lib.training.objectives.objective import Objective
from vsearch_lib.training.processes import Processes

# Vectors of unit length whose mean is almost as long all point the same way.
_COLLAPSED = 0.999


def update(
    network: nn.Module,
    batch: Batch,
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    *,
    dimension: int,
    max_gradient: float,
    pictures_at_once: int,
    processes: Processes,
) -> float:
    """Change the weights of `network` by one batch, and return the loss.

    If a process has more pictures than `pictures_at_once`, each passes through the network twice: first for its vector,
    then, once the loss of the whole batch is known, for its gradient (Gao et al. 2021, "Scaling Deep Contrastive
    Learning Batch Size under Memory Limited Setup"). The result is that of passing all at once; unlike the mean over
    small batches, it keeps all negatives.

    Raises:
        VsearchError: the loss is no number, or all vectors are the same, perhaps 0 because weights are too large.
    """
    device = next(network.parameters()).device
    pictures = batch.plan.numbers.shape[1]
    place = slice(batch.part.start * pictures, batch.part.stop * pictures)
    inputs = [some.to(device) for some in torch.split(batch.inputs, pictures_at_once)] if len(batch.inputs) else []

    def gathered(parts: Sequence[Tensor]) -> Tensor:
        own = torch.cat([torch.empty(0, dimension, device=device), *(part.float() for part in parts)])
        return processes.gathered(own, place, batch.plan.numbers.numel())

    optimiser.zero_grad()
    with torch.set_grad_enabled(len(inputs) == 1):
        parts = [_vectors(network, some) for some in inputs]
    vectors = gathered([part.detach() for part in parts]).requires_grad_()
    with torch.no_grad(), fast_precision(device):
        found = [keys for some in inputs if (keys := objective.keys(some)) is not None]
    loss = objective(vectors, batch.plan.to(device), gathered(found) if objective.compares_with_keys else None)
    _check(loss, vectors)
    loss.backward()
    assert vectors.grad is not None
    for i, gradient in enumerate(torch.split(vectors.grad[place], pictures_at_once) if inputs else ()):
        vectors_again = parts[i] if len(inputs) == 1 else _vectors(network, inputs[i])
        vectors_again.backward(gradient)  # type: ignore[no-untyped-call]
    processes.sum_gradients(network.parameters())
    nn.utils.clip_grad_norm_([*network.parameters(), *objective.parameters()], max_gradient)
    optimiser.step()
    objective.after_step(network)
    return float(loss.item())


def _vectors(network: nn.Module, inputs: Tensor) -> Tensor:
    with fast_precision(inputs.device):
        vectors: Tensor = network(inputs)
    return vectors.float()


def _check(loss: Tensor, vectors: Tensor) -> None:
    if not torch.isfinite(loss):
        raise VsearchError(
            "the training stopped: its loss is no number any more; lower training.learning_rate or "
            "training.max_gradient"
        )
    if len(vectors) > 2 and (vectors.detach().mean(dim=0).norm() > _COLLAPSED or not vectors.any()):
        raise VsearchError(
            "the training stopped: all pictures have nearly the same vector; lower training.learning_rate, or check "
            "that the pictures of the examples differ"
        )
