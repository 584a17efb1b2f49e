"""Answers are kept for the same question by the same asker of the same version, and for nothing else."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.search.filter import Filter
from vsearch_lib.serving.ask import Answer, Answers, Ask, Crop, Timings
from vsearch_lib.serving.http.cache import AnswerCache

DAY = datetime(2026, 3, 1, tzinfo=UTC)
BASE = Ask(picture=b"p", crop=Crop(0, 0, 1, 1), k=5, wanted=Filter(viewer_id="u"))


def answers(name: str, version: str = "v1", count: int = 1) -> Answers:
    listed = tuple(Answer(i + 1, f"{name}-{i}", 0.5, (), "o", DAY, None) for i in range(count))
    return Answers(version, None, None, listed, None, Timings(5, 5, 5))


class Searched:
    """A search whose answers say how often it was called."""

    def __init__(self, version: str = "v1", count: int = 1) -> None:
        self.version, self.count, self.calls = version, count, 0

    def __call__(self, ask: Ask) -> Answers:
        self.calls += 1
        return answers(str(self.calls), self.version, self.count)


def test_the_same_question_is_searched_once():
    cache, search = AnswerCache(100), Searched()
    first, kept = cache.answers(BASE, "v1", search)
    again, kept_again = cache.answers(replace(BASE, picture=b"p"), "v1", search)
    assert (kept, kept_again, search.calls) == (False, True, 1)
    assert again.answers == first.answers
    assert again.timings_ms == Timings(0, 0, 0)


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, picture=b"q"),
        replace(BASE, picture=None, image_id="p"),
        replace(BASE, crop=None),
        replace(BASE, crop=Crop(0, 0, 1, 0.5)),
        replace(BASE, like=("a",)),
        replace(BASE, unlike=("a",)),
        replace(BASE, k=6),
        replace(BASE, sort="newest"),
        replace(BASE, copies=True),
        replace(BASE, expand=True),
        *(
            replace(BASE, wanted=replace(BASE.wanted, **change))
            for change in (
                {"viewer_id": None},
                {"viewer_id": "v"},
                {"owner_id": "o"},
                {"tags": ("t",)},
                {"uploaded_from": DAY},
                {"uploaded_before": DAY},
            )
        ),
    ],
    ids=range(16),
)
def test_another_question_or_asker_is_searched_again(other):
    cache, search = AnswerCache(100), Searched()
    cache.answers(BASE, "v1", search)
    assert cache.answers(other, "v1", search)[1] is False
    assert search.calls == 2


def test_another_version_is_searched_again_and_its_answers_are_kept_as_its_own():
    cache = AnswerCache(100)
    cache.answers(BASE, "v1", Searched("v1"))
    # The version changes between the look into the cache and the search.
    found, kept = cache.answers(replace(BASE, k=7), "v1", Searched("v2"))
    assert (found.version, kept) == ("v2", False)
    assert cache.answers(replace(BASE, k=7), "v1", Searched("v1"))[1] is False
    assert cache.answers(replace(BASE, k=7), "v2", Searched("v2"))[1] is True
    assert cache.answers(BASE, "v2", Searched("v2"))[1] is False


def test_no_more_answers_are_kept_than_allowed():
    cache, search = AnswerCache(60), Searched(count=9)
    for k in range(1, 21):
        cache.answers(replace(BASE, k=k), "v1", search)
    kept = [k for k in range(1, 21) if cache.answers(replace(BASE, k=k), "v1", Searched(count=1000))[1]]
    assert kept == [15, 16, 17, 18, 19, 20]


def test_a_cache_of_no_answers_keeps_none():
    cache, search = AnswerCache(0), Searched()
    assert [cache.answers(BASE, "v1", search)[1] for _ in range(3)] == [False] * 3


FILTERS = st.builds(
    Filter,
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([(), ("t",)]),
    viewer_id=st.sampled_from([None, "a", "b", ""]),
)
ASKS = st.builds(
    Ask,
    st.sampled_from([None, b"x", b"y"]),
    st.sampled_from([None, "i"]),
    k=st.integers(1, 3),
    wanted=FILTERS,
    copies=st.booleans(),
)


@given(st.lists(st.tuples(ASKS, st.sampled_from(string.ascii_lowercase[:2])), max_size=40), st.integers(0, 12))
def test_what_is_answered_from_the_cache_is_what_a_search_would_answer(asked, size):
    cache = AnswerCache(size)

    def search_of(version: str):
        # The name of the answer is the whole question.
        return lambda ask: answers(repr(ask), version)

    for ask, version in asked:
        found, _ = cache.answers(ask, version, search_of(version))
        assert (found.answers, found.version) == (answers(repr(ask), version).answers, version)
