"""A memory holds what was added last, and its state can be saved."""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.training.objectives.memory import Memory


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 9), batches=st.lists(st.integers(0, 12), max_size=6))
def test_a_memory_holds_the_vectors_that_were_added_last(size, batches):
    memory, expected = Memory(size, 2), deque[tuple[int, list[float]]](maxlen=size)
    for step, count in enumerate(batches):
        numbers = torch.arange(count) + 100 * step
        vectors = torch.stack([numbers.float(), -numbers.float()], dim=1)
        memory.add(vectors, numbers)
        expected += zip(numbers.tolist(), vectors.tolist(), strict=True)
    vectors, numbers = memory.contents()
    assert sorted(zip(numbers.tolist(), vectors.tolist(), strict=True)) == sorted(expected)


def test_a_memory_that_is_loaded_goes_on_as_the_saved_one():
    rng = np.random.default_rng(1)
    batches = [(torch.tensor(rng.standard_normal((3, 2))).float(), torch.tensor([i, i, i])) for i in range(4)]
    unbroken, saved, loaded = Memory(5, 2), Memory(5, 2), Memory(5, 2)
    for batch in batches:
        unbroken.add(*batch)
    for batch in batches[:2]:
        saved.add(*batch)
    loaded.load_state_dict(saved.state_dict())
    for batch in batches[2:]:
        loaded.add(*batch)
    for found, expected in zip(loaded.contents(), unbroken.contents(), strict=True):
        assert torch.equal(found, expected)


def test_no_gradient_flows_into_a_memory():
    memory, vectors = Memory(4, 2), torch.ones(2, 2, requires_grad=True)
    memory.add(vectors * 2, torch.tensor([1, 2]))
    assert not memory.contents()[0].requires_grad
