"""An image is found in the rows of a shard, whatever their order is."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.search.lookup import ImageIds

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)


@settings(deadline=None)
@given(st.lists(st.lists(names, max_size=6), max_size=4), st.booleans(), names)
def test_the_last_row_of_an_image_is_found_in_any_order_and_in_any_pieces(pieces, ordered, other):
    if ordered:
        pieces = [sorted(name for piece in pieces for name in piece)]
    ids = [name for piece in pieces for name in piece]
    lookup = ImageIds(pa.chunked_array(pieces, pa.string()))
    for name in {*ids, other}:
        last = max((row for row, one in enumerate(ids) if one == name), default=None)
        assert lookup.row_of(name) == last


def test_ids_are_in_the_order_of_their_utf_8():
    """In UTF-16 the second would come before the first."""
    ids = ["\uffee", "\U0001f600"]
    lookup = ImageIds(pa.chunked_array([ids]))
    assert [lookup.row_of(name) for name in ids] == [0, 1]


@pytest.mark.parametrize("name", ["\ud800", "", "b"])
def test_an_id_that_is_not_there_is_not_found(name):
    assert ImageIds(pa.chunked_array([["a", "c"]])).row_of(name) is None
    assert ImageIds(pa.chunked_array([[]], pa.string())).row_of(name) is None
