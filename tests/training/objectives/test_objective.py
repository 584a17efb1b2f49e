"""Each objective that the settings offer is what a loop over pairs computes, step after step."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.support import pairwise_losses
from tests.support.pairwise_losses import tolerance, very_different_weights
from tests.training.objectives.conftest import GROUPS, belong_together
from vsearch_lib.config import load_settings
from vsearch_lib.config.settings import Training
from vsearch_lib.errors import UsageError
from vsearch_lib.training.objectives.objective import Objective, relations_of
from vsearch_lib.training.objectives.relations import Relations
from vsearch_lib.training.plan import Plan

WIDTH, DIMENSION, TEMPERATURE = 6, 4, 0.1
OBJECTIVES = ["candidates", "batch", "queue", "memory"]
INPUTS = torch.tensor(np.random.default_rng(5).standard_normal((12, WIDTH))).float()
FROZEN = nn.functional.normalize(INPUTS, dim=1).numpy()


class Network(nn.Module):
    """One matrix, and unit length."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.layer = nn.Linear(WIDTH, DIMENSION, bias=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.layer(inputs), dim=1)


@pytest.fixture(scope="module")
def defaults() -> Training:
    return load_settings("demo").training


def plan_of(rng: np.random.Generator, relations: Relations, examples: int = 4, candidates: int = 2) -> Plan:
    numbers = torch.tensor(rng.integers(0, 12, (examples, 1 + candidates)))
    labels = torch.tensor(rng.integers(0, candidates, examples))
    weights = torch.tensor(very_different_weights(rng, examples)).float()
    return Plan(numbers, labels, *relations.of_batch(numbers, labels), weights)


def move(network: Network, rng: np.random.Generator) -> None:
    with torch.no_grad():
        network.layer.weight += torch.tensor(rng.standard_normal((DIMENSION, WIDTH))).float() * 0.3


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def exact(network: Network, plan: Plan) -> np.ndarray:
    weight, inputs = network.layer.weight.detach().double().numpy(), INPUTS.double().numpy()
    return unit(inputs[plan.numbers.flatten()] @ weight.T)


def in_one_group(one: int, other: int) -> bool:
    return one != other and GROUPS[one] == GROUPS[other]


def relations_in_words(plan: Plan, known: list[int]) -> tuple[list[list[bool]], list[list[bool]]]:
    """Positives and related of each picture of the batch: among the batch, then among the `known` pictures."""
    numbers, columns = plan.numbers.flatten().tolist(), plan.numbers.shape[1]
    positives, related = [], []
    for place, number in enumerate(numbers):
        query = place // columns * columns
        positive = query + 1 + int(plan.labels[place // columns])
        partner = {query: positive, positive: query}.get(place)
        near = [in_one_group(number, n) or (j == partner and n != number) for j, n in enumerate(numbers)]
        positives.append(near + [in_one_group(number, n) for n in known])
        related.append([belong_together(number, n) for n in [*numbers, *known]])
    return positives, related


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("choice", OBJECTIVES)
@pytest.mark.parametrize("seed", range(3))
def test_five_steps_have_the_losses_of_a_loop_over_pairs(snapshot, defaults, choice, dtype, seed):
    """The memory holds 20 vectors, fewer than two batches: old ones are dropped in the middle of a batch."""
    rng, network, size, momentum = np.random.default_rng(seed), Network(), 20, 0.8
    changes = {"objective": choice, "memory_size": size, "momentum": momentum, "temperature": TEMPERATURE}
    training = defaults.model_copy(update=changes)
    relations = relations_of(training, snapshot, differs=False, frozen=None)
    objective = Objective(training, network, relations, dimension=DIMENSION, frozen=None)
    slow, earlier = Network(), deque[tuple[int, np.ndarray]](maxlen=size)
    for _ in range(5):
        plan = plan_of(rng, relations)
        numbers = plan.numbers.flatten().tolist()
        with torch.no_grad():
            inputs = INPUTS[plan.numbers.flatten()]
            keys = objective.keys(inputs)
            value = objective(network(inputs).to(dtype), plan, None if keys is None else keys.to(dtype))
        vectors = exact(network, plan)
        others = exact(slow, plan) if choice == "queue" else vectors
        positives, related = relations_in_words(plan, [number for number, _ in earlier])
        if choice == "candidates":
            expected = pairwise_losses.candidates(
                vectors.reshape(4, 3, DIMENSION),
                plan.labels,
                [[positives[3 * i][3 * i + j] or related[3 * i][3 * i + j] for j in (1, 2)] for i in range(4)],
                plan.weights.double().numpy(),
                TEMPERATURE,
            )
        else:
            compared = np.concatenate([others, *([vector[None] for _, vector in earlier])])
            weights = np.repeat(plan.weights.double().numpy(), 3)
            expected = pairwise_losses.contrastive(vectors, compared, positives, related, weights, TEMPERATURE)
        # The network itself, and what is remembered, are in float32 at best.
        coarser = torch.float32 if dtype == torch.float64 else dtype
        assert value.item() == pytest.approx(expected, abs=tolerance(coarser, TEMPERATURE), rel=1e-5)
        if choice in ("queue", "memory"):
            earlier += zip(numbers, others, strict=True)
        move(network, rng)
        objective.after_step(network)
        with torch.no_grad():
            slow.layer.weight.lerp_(network.layer.weight, 1 - momentum)


@pytest.mark.parametrize("choice", OBJECTIVES)
def test_lengths_that_bfloat16_has_rounded_do_not_matter(snapshot, defaults, choice):
    training = defaults.model_copy(update={"objective": choice, "keep_frozen": 1.0})
    network, relations = Network(), relations_of(training, snapshot, differs=False, frozen=FROZEN)
    plan = plan_of(np.random.default_rng(1), relations)
    lengths = torch.linspace(0.99, 1.01, 12).unsqueeze(1)

    def loss(scale: torch.Tensor) -> float:
        objective = Objective(training, network, relations, dimension=DIMENSION, frozen=FROZEN)
        inputs = INPUTS[plan.numbers.flatten()]
        keys = objective.keys(inputs)
        return objective(network(inputs) * scale, plan, None if keys is None else keys * scale).item()

    assert loss(lengths) == pytest.approx(loss(torch.ones(1)), rel=1e-5)


@pytest.mark.parametrize("choice", OBJECTIVES)
@pytest.mark.parametrize("examples", [1, 3])
def test_pictures_that_all_belong_together_have_no_loss_and_no_gradient(snapshot, defaults, choice, examples):
    training = defaults.model_copy(update={"objective": choice, "memory_size": 8, "related_as_positives": True})
    network, relations = Network(), relations_of(training, snapshot, differs=False, frozen=None)
    objective = Objective(training, network, relations, dimension=DIMENSION, frozen=None)
    numbers = torch.tensor([[3, 5, 5]] * examples)
    labels = torch.zeros(examples).long()
    plan = Plan(numbers, labels, *relations.of_batch(numbers, labels), torch.ones(examples))
    for _ in range(2):
        inputs = INPUTS[numbers.flatten()]
        loss = objective(network(inputs), plan, objective.keys(inputs))
        loss.backward()
        assert loss.item() == 0
        assert not network.layer.weight.grad.any()


@pytest.mark.parametrize("choice", OBJECTIVES)
def test_identical_vectors_have_a_finite_loss_and_gradient(snapshot, defaults, choice):
    training = defaults.model_copy(update={"objective": choice, "keep_frozen": 1.0, "temperature": 0.01})
    relations = relations_of(training, snapshot, differs=False, frozen=FROZEN)
    objective = Objective(training, Network(), relations, dimension=DIMENSION, frozen=FROZEN)
    plan = plan_of(np.random.default_rng(1), relations)
    vectors = torch.full((12, DIMENSION), 0.5, requires_grad=True)
    loss = objective(vectors, plan, None if choice != "queue" else vectors.detach())
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(vectors.grad).all()


@pytest.mark.parametrize("choice", OBJECTIVES)
def test_a_restored_objective_goes_on_as_the_saved_one(snapshot, defaults, choice):
    changes = {"objective": choice, "memory_size": 20, "projection_head": 5, "keep_frozen": 0.5}
    training = defaults.model_copy(update=changes)
    rng, relations = np.random.default_rng(2), relations_of(training, snapshot, differs=False, frozen=FROZEN)

    def new(network: Network) -> Objective:
        return Objective(training, network, relations, dimension=DIMENSION, frozen=FROZEN)

    def step(objective: Objective, network: Network, plan: Plan) -> float:
        inputs = INPUTS[plan.numbers.flatten()]
        return objective(network(inputs), plan, objective.keys(inputs)).item()

    network = Network()
    unbroken = new(network)
    for _ in range(3):
        step(unbroken, network, plan_of(rng, relations))
        move(network, rng)
        unbroken.after_step(network)
    resumed = new(network)
    resumed.load_state_dict(unbroken.state_dict())
    plan = plan_of(rng, relations)
    assert step(resumed, network, plan) == step(unbroken, network, plan)


def test_the_kept_similarities_are_added_with_their_weight(snapshot, defaults):
    relations = relations_of(defaults, snapshot, differs=False, frozen=None)
    plan, network = plan_of(np.random.default_rng(6), relations), Network()
    vectors = network(INPUTS[plan.numbers.flatten()])

    def loss(keep_frozen: float) -> float:
        training = defaults.model_copy(update={"keep_frozen": keep_frozen, "temperature": TEMPERATURE})
        return Objective(training, network, relations, dimension=DIMENSION, frozen=FROZEN)(vectors, plan).item()

    distinct = sorted(set(plan.numbers.flatten().tolist()))
    weight = network.layer.weight.detach().double().numpy()
    trained = unit(INPUTS.double().numpy()[distinct] @ weight.T)
    term = pairwise_losses.kept_similarities(trained, unit(INPUTS.double().numpy()[distinct]), TEMPERATURE)
    assert loss(3.0) - loss(0.0) == pytest.approx(3 * term, rel=1e-4)


def test_neighbours_are_positives_without_any_pair_in_the_examples(snapshot, defaults):
    numbers = torch.tensor([[8, 8], [9, 9], [10, 10]])
    labels = torch.zeros(3).long()
    frozen = np.zeros((12, 2), np.float32)
    frozen[[8, 9, 10]] = [[1, 0], [0.8, 0.6], [0, 1]]  # 8 and 9 are each other's nearest; 10's nearest is 9
    for count, expected in ((0, set()), (1, {(0, 2), (2, 0)})):
        training = defaults.model_copy(update={"neighbours": count})
        positives, _ = relations_of(training, snapshot, differs=False, frozen=frozen).of_batch(numbers, labels)
        assert {(i, j) for i, j in positives[::2, ::2].nonzero().mul(2).tolist()} == expected


def test_the_loss_sees_vectors_through_the_projection_head_which_is_trained(snapshot, defaults):
    training = defaults.model_copy(update={"projection_head": 5})
    relations = relations_of(training, snapshot, differs=False, frozen=None)
    network, plan = Network(), plan_of(np.random.default_rng(6), relations)
    with_head = Objective(training, network, relations, dimension=DIMENSION, frozen=None)
    without = Objective(defaults, network, relations, dimension=DIMENSION, frozen=None)
    vectors = network(INPUTS[plan.numbers.flatten()])
    loss = with_head(vectors, plan)
    loss.backward()
    assert loss.item() == pytest.approx(without(with_head.head(vectors), plan).item())
    assert all(weight.grad.any() for weight in with_head.parameters())
    assert list(without.parameters()) == []


def test_the_weights_of_the_projection_head_depend_on_the_seed_alone(snapshot, defaults):
    relations = relations_of(defaults, snapshot, differs=False, frozen=None)

    def first_weights(seed: int) -> torch.Tensor:
        training = defaults.model_copy(update={"projection_head": 5, "seed": seed})
        return next(Objective(training, Network(), relations, dimension=DIMENSION, frozen=None).parameters())

    before = torch.random.get_rng_state()
    assert torch.equal(first_weights(1), first_weights(1))
    assert not torch.equal(first_weights(1), first_weights(2))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_needs_a_pretrained_backbone_is_refused_without_one(snapshot, defaults):
    relations = Relations(snapshot, differs=True)
    training = defaults.model_copy(update={"keep_frozen": 0.1})
    with pytest.raises(UsageError, match=r"training\.keep_frozen needs a pretrained backbone.*set model\.weights"):
        Objective(training, Network(), relations, dimension=DIMENSION, frozen=None)
    with pytest.raises(UsageError, match=r"training\.neighbours needs a pretrained backbone.*set model\.weights"):
        relations_of(defaults.model_copy(update={"neighbours": 5}), snapshot, differs=True, frozen=None)


def test_candidates_without_negatives_are_refused(snapshot, defaults):
    training = defaults.model_copy(update={"objective": "candidates"})
    relations = Relations(replace(snapshot, candidates=1), differs=True)
    with pytest.raises(UsageError, match=r"set examples\.candidates to 2 or more, and run build_training_examples"):
        Objective(training, Network(), relations, dimension=DIMENSION, frozen=None)
