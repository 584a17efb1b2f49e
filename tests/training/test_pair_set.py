"""A set of pairs holds exactly the pairs that were put into it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.training.pair_set import PairSet

NUMBERS = st.integers(0, 9)


@settings(max_examples=50, deadline=None)
@given(
    pairs=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=30),
    one=st.lists(NUMBERS, max_size=8),
    other=st.lists(NUMBERS, max_size=8),
)
def test_a_set_holds_the_pairs_that_were_put_into_it(pairs, one, other):
    held = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    found = PairSet(held[:, 0], held[:, 1], size=10).holds(np.array(one, np.int64), np.array(other, np.int64))
    assert found.dtype == np.bool_
    assert found.shape == (len(one), len(other))
    assert found.tolist() == [[(a, b) in pairs for b in other] for a in one]
