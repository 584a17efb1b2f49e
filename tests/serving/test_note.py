"""A note says why there are fewer answers, and names copies of the query."""

from tests.support.candidates import candidate
from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.note import note_of
from vsearch_lib.serving.ranking import Ranked

ANSWERS = tuple(candidate(name).at_rank(rank) for rank, name in enumerate("xyz", 1))


def note(answers: int, k: int, own_ids: tuple[str, ...] = (), **dropped: tuple[str, ...]) -> str | None:
    return note_of(Ranked(ANSWERS[:answers], dropped), Wish(k=k, own_ids=frozenset(own_ids)))


def test_if_all_answers_are_there_nothing_is_said():
    assert note(3, 3, similar_enough=("a",), near_duplicates=("b",)) is None
    assert note(3, 3, ("q",), own_copies=("q",)) is None


def test_fewer_answers_are_explained_by_each_rule_that_dropped_some():
    line = note(
        2, 5, similar_enough=("a", "b"), near_duplicates=("c",), owner_limit=("d",), **{"shop.rules:sale": ("e",)}
    )
    assert line == (
        "only 2 found; left out: not similar enough (2), copies of other answers (1), more of the same owners (1), "
        "shop.rules:sale (1)"
    )
    assert note(0, 5, similar_enough=("a",)) == "nothing found; left out: not similar enough (1)"
    assert note(1, 5) == "only 1 found: no other image matches"


def test_images_that_the_asker_may_not_see_are_not_mentioned():
    assert note(1, 5, visible=("secret",)) == "only 1 found: no other image matches"


def test_copies_of_the_query_are_named_but_not_the_query_itself():
    line = note(3, 3, ("q",), own_copies=("q", "a", "b", "c", "d"))
    assert line == "the catalogue has this picture: a, b, c …; ask for copies to see them among the answers"
