"""What a training minimises, as the settings choose it."""

import torch
from torch import Tensor, nn

from vsearch_lib.config.settings import Training
from vsearch_lib.errors import UsageError
from vsearch_lib.training.local_snapshot import LocalSnapshot
from vsearch_lib.training.objectives.candidates import candidates_loss, known_candidates
from vsearch_lib.training.objectives.contrastive import contrastive_loss
from vsearch_lib.training.objectives.frozen import kept_similarities_loss
from vsearch_lib.training.objectives.memory import Memory
from vsearch_lib.training.objectives.momentum import MomentumEncoder
from vsearch_lib.training.objectives.neighbours import mutual_neighbours
from vsearch_lib.training.objectives.projection_head import ProjectionHead
from vsearch_lib.training.objectives.relations import Relations
from vsearch_lib.training.plan import Plan
from vsearch_lib.vectors import Vectors


class Objective(nn.Module):
    """A loss of the vectors of a whole batch, with what it remembers between batches.

    All of that is in `state_dict`: with the same state, vectors and plan the loss is the same, in whatever process. It
    may have weights of its own, those of `parameters()` that require a gradient: train them with the network.

    Args:
        training: the settings.
        network: that will be trained: maps inputs (n, …) to unit vectors (n, dimension).
        relations: of the pictures.
        dimension: of the vectors.
        frozen: (pictures, width) of unit length, or zeros: what each picture is before the training, as
            `frozen_vectors` returns it; None if the network starts from random weights.

    Raises:
        UsageError: the settings ask for what the examples or the network do not have.
    """

    def __init__(
        self, training: Training, network: nn.Module, relations: Relations, *, dimension: int, frozen: Vectors | None
    ) -> None:
        super().__init__()
        if training.objective == "candidates" and relations.candidates < 2:
            raise UsageError(
                "training.objective = candidates needs negatives in each example: set examples.candidates to 2 or "
                "more, and run build_training_examples"
            )
        if training.keep_frozen and frozen is None:
            raise _without_frozen("keep_frozen")
        self._training, self._relations, self._frozen = training, relations, frozen
        self.head: nn.Module = nn.Identity()
        if training.projection_head:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(training.seed)
                self.head = ProjectionHead(dimension, training.projection_head)
        remembers = training.objective in ("queue", "memory")
        self.memory = Memory(training.memory_size, dimension) if remembers else None
        self.momentum_encoder = None
        if training.objective == "queue":
            self.momentum_encoder = MomentumEncoder(nn.Sequential(network, self.head), momentum=training.momentum)

    @property
    def compares_with_keys(self) -> bool:
        """Whether the loss compares vectors with `keys`."""
        return self.momentum_encoder is not None

    def keys(self, inputs: Tensor) -> Tensor | None:
        """Return the keys (n, dimension) of inputs of this process, None if the loss needs none."""
        return None if self.momentum_encoder is None else self.momentum_encoder(inputs)

    def forward(self, vectors: Tensor, plan: Plan, keys: Tensor | None = None) -> Tensor:
        """Return the loss, a scalar, and remember the batch if the objective does.

        Args:
            vectors: (pictures, dimension) of about unit length, in any precision, of all pictures of the plan; those of
                other processes too.
            plan: of the batch, on the same device.
            keys: (pictures, dimension), what `keys` returned for all of these pictures, if `compares_with_keys`.
        """
        vectors = _of_unit_length(vectors)
        seen: Tensor = self.head(vectors)
        if self._training.objective == "candidates":
            loss = candidates_loss(
                seen.view(*plan.numbers.shape, -1),
                plan.labels,
                known_candidates(plan),
                plan.weights,
                temperature=self._training.temperature,
            )
        else:
            loss = self._contrast(seen, seen if keys is None else _of_unit_length(keys).to(seen.dtype), plan)
        if self._training.keep_frozen:
            loss = loss + self._training.keep_frozen * self._moved(vectors, plan)
        return loss

    def after_step(self, network: nn.Module) -> None:
        """Follow the network, whose weights have changed."""
        if self.momentum_encoder is not None:
            self.momentum_encoder.follow(nn.Sequential(network, self.head))

    def _contrast(self, vectors: Tensor, others: Tensor, plan: Plan) -> Tensor:
        """Compare each vector with the others of the batch, and with those that are remembered."""
        numbers, positives, related = plan.numbers.flatten(), plan.positives, plan.related
        compared = others
        if self.memory is not None:
            remembered, their_numbers = self.memory.contents()
            known = self._relations.between(numbers, their_numbers)
            positives, related = (
                torch.cat([in_batch, earlier.to(in_batch.device)], dim=1)
                for in_batch, earlier in zip((positives, related), known, strict=True)
            )
            compared = torch.cat([others, remembered.to(others.dtype)])
            self.memory.add(others, numbers)
        return contrastive_loss(
            vectors,
            positives,
            related,
            plan.weights.repeat_interleave(plan.numbers.shape[1]),
            temperature=self._training.temperature,
            others=compared,
        )

    def _moved(self, vectors: Tensor, plan: Plan) -> Tensor:
        assert self._frozen is not None
        numbers = plan.numbers.flatten().cpu()
        # One vector a picture: how near two views of it are says nothing about the others.
        distinct = {int(number): place for place, number in enumerate(numbers)}
        frozen = torch.from_numpy(self._frozen[list(distinct)]).to(vectors)
        places = torch.tensor(list(distinct.values()), device=vectors.device)
        return kept_similarities_loss(vectors[places], frozen, temperature=self._training.temperature)


def _of_unit_length(vectors: Tensor) -> Tensor:
    # In bfloat16 the length of a unit vector may be off by .004.
    return nn.functional.normalize(vectors if vectors.dtype == torch.float64 else vectors.float(), dim=1)


def relations_of(training: Training, snapshot: LocalSnapshot, *, differs: bool, frozen: Vectors | None) -> Relations:
    """Return what is known about pairs of pictures, as the settings choose it.

    Args:
        training: the settings.
        snapshot: has the pictures.
        differs: whether two inputs of one picture differ.
        frozen: as `Objective` takes it.

    Raises:
        UsageError: the settings ask for neighbours, and the network starts from random weights.
    """
    neighbours = None
    if training.neighbours:
        if frozen is None:
            raise _without_frozen("neighbours")
        neighbours = mutual_neighbours(frozen, training.neighbours)
    return Relations(
        snapshot, differs=differs, related_as_positives=training.related_as_positives, neighbours=neighbours
    )


def _without_frozen(setting: str) -> UsageError:
    return UsageError(
        f"training.{setting} needs a pretrained backbone, whose similarities it takes: set model.weights, or "
        f"training.{setting} = 0"
    )
