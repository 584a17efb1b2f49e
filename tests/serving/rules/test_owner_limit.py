"""An owner has a limited number of answers."""

from tests.support.candidates import candidate, ids, marked
from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.rules.owner_limit import owner_limit

IMAGES = [candidate(name, owner_id=name[0]) for name in ("a1", "a2", "b1", "a3", "b2", "c1")]


def test_the_best_answers_of_each_owner_stay_and_show_that_there_are_more():
    kept = owner_limit(IMAGES, Wish(k=10), limit=2)
    assert ids(kept) == ["a1", "a2", "b1", "b2", "c1"]
    assert marked(kept) == dict.fromkeys(("a1", "a2"), ("owner_limit",))


def test_without_a_limit_or_for_one_owner_all_stay():
    assert owner_limit(IMAGES, Wish(k=10), limit=None) == IMAGES
    assert owner_limit(IMAGES[:2], Wish(k=10, owner_id="a"), limit=1) == IMAGES[:2]
