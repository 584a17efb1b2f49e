"""The most similar images may be sorted by their upload."""

from tests.support.candidates import at, candidate, ids, marked
from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.rules.newest import newest

IMAGES = [candidate(name, uploaded_at=at(minutes)) for name, minutes in (("a", 1), ("b", 9), ("c", 5), ("d", 99))]


def test_the_k_most_similar_images_are_sorted_and_others_do_not_replace_them():
    kept = newest(IMAGES, Wish(k=3, sort="newest"))
    assert ids(kept) == ["b", "c", "a", "d"]
    assert marked(kept) == dict.fromkeys("bca", ("newest",))


def test_images_of_one_moment_stay_in_the_order_of_similarity():
    same = [candidate(name, uploaded_at=at(1)) for name in "xyz"]
    assert newest(same, Wish(k=3, sort="newest")) == same


def test_by_similarity_the_order_stays():
    assert newest(IMAGES, Wish(k=3)) == IMAGES
