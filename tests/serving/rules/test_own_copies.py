"""A query and its copies are no answers to it."""

from tests.support.candidates import candidate, ids
from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.rules.own_copies import own_copies

SAME, NEAR, FAR = "00000000000000ff", "00000000000000f0", "0000000000000000"  # 0, 4 and 8 bits from the query's
IMAGES = [
    candidate("itself", 1.0),
    candidate("copy", 0.999, phash=SAME),
    candidate("smaller copy", 0.95, phash=NEAR),
    candidate("crop", 0.95, phash=FAR),
    candidate("flat picture", 0.4, phash=SAME),
]


def remaining(**wish) -> list[str]:
    return ids(own_copies(IMAGES, Wish(k=10, **wish), bits=4, cosine=0.9))


def test_the_query_and_near_duplicates_by_hash_and_vector_are_dropped():
    assert remaining(own_ids=frozenset({"itself"}), own_phashes=frozenset({SAME})) == ["crop", "flat picture"]


def test_a_query_that_is_no_image_of_the_catalogue_has_copies_only_by_its_hash():
    assert remaining(own_phashes=frozenset({SAME})) == ["itself", "crop", "flat picture"]
    assert remaining() == ids(IMAGES)


def test_copies_stay_if_they_are_wanted():
    assert remaining(own_ids=frozenset({"itself"}), own_phashes=frozenset({SAME}), copies=True) == ids(IMAGES)


def test_without_candidates_nothing_remains():
    assert own_copies([], Wish(k=1, own_phashes=frozenset({SAME})), bits=4, cosine=0.9) == []
