"""Positives and related pictures of a batch are those that the snapshot, the examples and the settings name."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from vsearch_lib.training.objectives.relations import Relations, positive_pairs

EACH = torch.arange(12)


def pairs(matrix: torch.Tensor) -> set[tuple[int, int]]:
    return {(one, other) for one, other in matrix.nonzero().tolist()}


def both_ways(*found: tuple[int, int]) -> set[tuple[int, int]]:
    return {*found, *((other, one) for one, other in found)}


def test_positives_are_the_pictures_of_a_group_and_the_pair_of_an_example():
    """Two examples of a query and two candidates; picture 7 of the first one's query occurs in the second one too."""
    groups = torch.tensor([[7, 8, 9], [5, 7, 6]])
    assert pairs(positive_pairs(groups, torch.tensor([1, 0]))) == both_ways((0, 2), (3, 4), (0, 4))


SAME_GROUP = both_ways((0, 1), (5, 6))
BELONGING = both_ways((3, 5), (3, 6), (4, 7))


def test_pictures_of_one_group_are_positives_and_those_of_related_groups_are_related(snapshot):
    positives, related = Relations(snapshot, differs=False).between(EACH, EACH)
    assert pairs(positives) == SAME_GROUP
    assert pairs(related) == SAME_GROUP | BELONGING | {(i, i) for i in range(12)}


def test_a_picture_is_a_positive_of_itself_only_if_its_inputs_differ(snapshot):
    positives, _ = Relations(snapshot, differs=True).between(EACH, EACH)
    assert pairs(positives) == SAME_GROUP | {(i, i) for i in range(12)}


def test_related_pictures_are_positives_if_the_settings_say_so(snapshot):
    positives, _ = Relations(snapshot, differs=False, related_as_positives=True).between(EACH, EACH)
    assert pairs(positives) == SAME_GROUP | BELONGING


def test_neighbours_are_positives_without_being_related(snapshot):
    neighbours = np.array([[2, 8], [8, 2]])
    positives, related = Relations(snapshot, differs=False, neighbours=neighbours).between(EACH, EACH)
    assert pairs(positives) == SAME_GROUP | both_ways((2, 8))
    assert (2, 8) not in pairs(related)


def test_pictures_of_a_batch_are_compared_with_any_others(snapshot):
    relations = Relations(snapshot, differs=False, related_as_positives=True)
    numbers, others = torch.tensor([5, 0, 5]), torch.tensor([3, 6, 5, 1])
    whole = relations.between(EACH, EACH)
    for found, expected in zip(relations.between(numbers, others), whole, strict=True):
        assert torch.equal(found, expected[numbers][:, others])
    assert [found.shape for found in relations.between(numbers, EACH[:0])] == [(3, 0), (3, 0)]


@pytest.mark.parametrize("differs", [True, False])
def test_a_batch_has_the_pairs_of_its_examples_too(snapshot, differs):
    """The positive of the second example is its query, which is one only if there are two different views."""
    numbers = torch.tensor([[2, 9, 8], [10, 10, 0]])
    positives, related = Relations(snapshot, differs=differs).of_batch(numbers, torch.tensor([1, 0]))
    assert pairs(positives) == both_ways((0, 2)) | (both_ways((3, 4)) if differs else set())
    assert pairs(related) == {(i, i) for i in range(6)} | both_ways((3, 4))


def test_no_picture_of_a_batch_is_a_positive_of_itself_in_the_same_place(snapshot):
    numbers = torch.tensor([[0, 1], [0, 0], [5, 3]])
    positives, _ = Relations(snapshot, differs=True, related_as_positives=True).of_batch(numbers, torch.zeros(3).long())
    same = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (4, 5)]
    assert pairs(positives) == both_ways(*same)
    assert all(one != other for one, other in product(range(6), repeat=2) if (one, other) in pairs(positives))
