"""Rules turn candidates into at most k answers, and what they dropped is reported."""

import pytest

from tests.support.candidates import at, candidate
from vsearch_lib.config import load_settings
from vsearch_lib.config.settings import Serving
from vsearch_lib.serving.ask import Answer
from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.ranking import RuleRanking

HASH = "00000000000000ff"


def serving(**values: object) -> Serving:
    return load_settings("demo").serving.model_copy(update=values)


def test_candidates_pass_the_rules_and_become_ranked_answers():
    images = [
        candidate("query", 1.0001, phash=HASH),
        candidate("private", 0.95, visibility="private"),
        candidate("b", 0.9, owner_id="bob", tags=("red",), uploaded_at=at(1), source_uri="u"),
        candidate("copy of b", 0.9, owner_id="eve", phash=candidate("b").facts.phash),
        candidate("c", 0.8, vector=(0, 1), uploaded_at=at(2)),
        candidate("d", 0.1, vector=(0, -1)),
    ]
    wish = Wish(k=2, own_ids=frozenset({"query"}), own_phashes=frozenset({HASH}), cut_off=0.5, sort="newest")
    ranked = RuleRanking(serving()).rank(images, wish)
    assert ranked.answers == (
        Answer(1, "c", 0.8, (), "ann", at(2), None, ("newest",)),
        Answer(2, "b", 0.9, ("red",), "bob", at(1), "u", ("near_duplicates", "newest")),
    )
    assert {rule: ids for rule, ids in ranked.dropped.items() if ids} == {
        "visible": ("private",),
        "own_copies": ("query",),
        "near_duplicates": ("copy of b",),
        "similar_enough": ("d",),
    }


def test_answers_beyond_k_are_not_reported_as_dropped():
    ranked = RuleRanking(serving()).rank([candidate(name) for name in "ab"], Wish(k=1, copies=True))
    assert [answer.image_id for answer in ranked.answers] == ["a"]
    assert not any(ranked.dropped.values())


def test_a_cosine_is_at_most_1():
    ranked = RuleRanking(serving()).rank([candidate("a", 1.0004)], Wish(k=1))
    assert ranked.answers[0].cosine == 1.0


@pytest.mark.parametrize(
    ("rules", "needed"),
    [
        (("visible", "newest", "owner_limit", "similar_enough", "own_copies"), False),
        (("visible", "near_duplicates"), True),
        (("visible", "diversity"), True),
        (("visible", "operator:itemgetter"), True),
    ],
)
def test_vectors_are_asked_for_if_a_rule_may_need_them(rules, needed):
    assert RuleRanking(serving(rules=rules)).needs_vectors is needed
