"""Of images that look the same, one answer stands for all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.candidates import candidate, ids, marked
from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.rules.near_duplicates import as_bits, differing_bits, near_duplicates

ALONG, NEARLY, ACROSS = (1, 0), (0.95, 0.3122499), (0, 1)  # cosines to the first: 1, .95, 0
HASH, ONE_BIT, FIVE_BITS = "ff00000000000000", "fe00000000000000", "ff0000000000001f"
IMAGES = [
    candidate("first", 0.9, vector=ALONG, phash=HASH),
    candidate("copy", 0.89, vector=NEARLY, phash=ONE_BIT),
    candidate("other hash", 0.88, vector=ALONG, phash=FIVE_BITS),
    candidate("other vector", 0.5, vector=ACROSS, phash=HASH),
    candidate("copy of the other vector", 0.4, vector=ACROSS, phash=ONE_BIT),
]


def test_the_first_of_the_copies_stays_and_is_marked():
    kept = near_duplicates(IMAGES, Wish(k=10), bits=4, cosine=0.9)
    assert ids(kept) == ["first", "other hash", "other vector"]
    assert marked(kept) == {"first": ("near_duplicates",), "other vector": ("near_duplicates",)}


@pytest.mark.parametrize(
    ("bits", "cosine", "kept"),
    [(0, 0.9, 5), (5, 0.9, 2), (4, 0.96, 4), (64, -1, 1)],
)
def test_both_the_hash_and_the_vector_must_be_alike(bits, cosine, kept):
    assert len(near_duplicates(IMAGES, Wish(k=10), bits=bits, cosine=cosine)) == kept


def test_copies_stay_if_they_are_wanted():
    assert near_duplicates(IMAGES, Wish(k=10, copies=True), bits=4, cosine=0.9) == IMAGES


def test_a_single_candidate_and_none_stay_as_they_are():
    for images in (IMAGES[:1], []):
        assert near_duplicates(images, Wish(k=10), bits=4, cosine=0.9) == images


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1), st.integers(0, 2**64 - 1))
def test_differing_bits_are_those_of_the_exclusive_or(hashes, other):
    bits = as_bits([f"{one:016x}" for one in hashes])
    differing = differing_bits(bits, as_bits([f"{other:016x}"])[0])
    assert differing.tolist() == [(one ^ other).bit_count() for one in hashes]
