"""The week is an experiment: two index versions rank differently, and a tenth of the pages is shuffled."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from vsearch_lib.demo.factors import grade_matrix
from vsearch_lib.demo.interactions import PAGE, events_of_day, page_of, search_days
from vsearch_lib.demo.uploads import Uploads, plan_uploads
from vsearch_lib.demo.users import Users, invent_users

IMAGES = 2000


@pytest.fixture(scope="module")
def plan() -> tuple[Uploads, Users]:
    rng = np.random.default_rng(7)
    users = invent_users(rng, images=IMAGES)
    return plan_uploads(rng, users, images=IMAGES), users


@pytest.fixture(scope="module")
def impressions(plan) -> list[dict]:
    rng = np.random.default_rng(8)
    events = [event for midnight in search_days() for event in events_of_day(rng, *plan, midnight)]
    return [event for event in events if event["type"] == "impression"]


def grade_of(uploads: Uploads, event: dict) -> int:
    query, image = (int(event[name].removeprefix("img-")) for name in ("query_image_id", "displayed_image_id"))
    return int(grade_matrix(uploads.codes[query : query + 1], uploads.codes[image : image + 1])[0, 0])


def test_each_arm_has_its_index_version_and_a_tenth_of_the_requests_is_random(impressions):
    requests = {event["request_id"]: (event["variant"], event["index_version"]) for event in impressions}
    arms = Counter(requests.values())
    assert set(arms) == {("a", "demo-1"), ("b", "demo-2"), ("random", "demo-1"), ("random", "demo-2")}
    random = arms["random", "demo-1"] + arms["random", "demo-2"]
    # Four standard deviations of a binomial share.
    assert random / len(requests) == pytest.approx(0.1, abs=4 * (0.1 * 0.9 / len(requests)) ** 0.5)


def test_relevance_falls_with_the_position_except_on_shuffled_pages(plan, impressions):
    halves: dict[bool, list[list[int]]] = {True: [[], []], False: [[], []]}
    for event in impressions:
        halves[event["variant"] == "random"][event["position"] > PAGE // 2].append(grade_of(plan[0], event))
    top, bottom = (np.mean(grades) for grades in halves[False])
    assert top > bottom + 1
    (top, bottom), shown = (np.mean(grades) for grades in halves[True]), len(halves[True][0])
    assert top == pytest.approx(bottom, abs=4 * 2 * (2 / shown) ** 0.5)  # a grade's deviation is below 2


def test_some_queries_are_answered_by_both_versions(impressions):
    versions: dict[str, set[str]] = {}
    for event in impressions:
        versions.setdefault(event["query_image_id"], set()).add(event["index_version"])
    assert sum(len(both) == 2 for both in versions.values()) > len(versions) / 10


def test_two_versions_display_the_same_pictures_in_different_orders(plan):
    codes, shown = plan[0].codes, np.ones(IMAGES, dtype=bool)
    first, second = (page_of(codes, 3, shown, version)[0] for version in (0, 1))
    assert sorted(first) == sorted(second)
    assert first.tolist() != second.tolist()
    assert first.tolist() == page_of(codes, 3, shown, 0)[0].tolist()


def test_pictures_keep_their_order_while_others_are_added(plan):
    codes = plan[0].codes
    later = np.ones(IMAGES, dtype=bool)
    for query in range(20):
        before, after = (page_of(codes, query, shown, 1)[0].tolist() for shown in (np.arange(IMAGES) < 500, later))
        stayed = set(before) & set(after)
        assert [picture for picture in before if picture in stayed] == [p for p in after if p in stayed]


def test_a_page_never_shows_its_query_or_a_hidden_picture(plan):
    shown = np.arange(IMAGES) % 3 > 0
    for query in range(20):
        pictures, grades = page_of(plan[0].codes, query, shown, 0)
        assert shown[pictures].all()
        assert query not in pictures
        assert len(set(pictures.tolist())) == len(grades) == PAGE
