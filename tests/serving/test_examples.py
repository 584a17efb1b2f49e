"""Examples move a query by Rocchio's formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.errors import InvalidArgument
from vsearch_lib.serving.examples import with_examples

X, Y, Z = np.eye(3, dtype=np.float32)
NONE = np.zeros((0, 3), dtype=np.float32)


def test_a_query_without_examples_stays_as_it_is():
    assert with_examples(X, NONE, NONE) is X


def test_a_query_moves_to_the_mean_of_its_examples_and_away_from_the_others():
    """The sum is (1, .75/2, .75/2 - .15), of length √(1 + .375² + .225²) = 1.09144."""
    moved = with_examples(X, np.stack([Y, Z]), Z[None])
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, np.array([1, 0.375, 0.225]) / 1.09144, atol=1e-5)


def test_without_a_picture_the_examples_alone_are_the_query():
    np.testing.assert_allclose(with_examples(None, np.stack([X, Y]), NONE), [0.5**0.5, 0.5**0.5, 0], atol=1e-6)
    np.testing.assert_allclose(
        with_examples(None, X[None], Y[None]), np.array([0.75, -0.15, 0]) / np.hypot(0.75, 0.15), atol=1e-6
    )


def test_examples_that_cancel_each_other_are_refused():
    with pytest.raises(InvalidArgument, match="cancel each other"):
        with_examples(None, np.stack([X, -X]), NONE)


unit = st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3).map(np.array).filter(lambda v: (v @ v) > 0.01)
units = st.lists(unit.map(lambda v: (v / np.linalg.norm(v)).astype(np.float32)), min_size=1, max_size=4).map(np.stack)


@settings(deadline=None)
@given(units, units)
def test_a_query_with_examples_has_length_1(like, unlike):
    try:
        moved = with_examples(like[0], like, unlike)
    except InvalidArgument:
        return
    assert np.linalg.norm(moved) == pytest.approx(1, abs=1e-5)
