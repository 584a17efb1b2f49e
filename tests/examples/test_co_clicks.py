"""Images that were clicked for the same queries form classes, and chains of them do not."""

from __future__ import annotations

import pytest

from vsearch_lib.examples.co_clicks import co_click_classes, co_click_pairs


@pytest.fixture(scope="module")
def classes(spark):
    def of(clicked: dict[str, str], *, shared: int = 2, largest: int = 50):
        rows = [(query, image, 0.5) for query, images in clicked.items() for image in images]
        frame = spark.createDataFrame(rows, "query_image_id string, image_id string, relevance double")
        return co_click_classes(frame, min_shared_queries=shared, max_images=largest)

    return of


def test_images_that_share_enough_queries_are_of_one_class(classes):
    found = {row["image_id"]: row["class"] for row in classes({"q": "abc", "r": "ab", "s": "bcd", "t": "ef"}).collect()}
    assert found == {"a": "a", "b": "a", "c": "a"}


def test_a_chain_of_too_many_images_is_no_class(classes):
    chain = {f"q{n}": "abcdefgh"[n : n + 2] for n in range(7)}
    assert classes(chain, shared=1, largest=7).count() == 0
    assert classes(chain, shared=1, largest=8).count() == 8


def test_each_image_of_a_class_has_another_one_as_its_positive(spark, classes):
    members = classes({"q": "abcde", "r": "abcde", "s": "xy", "t": "xy"})
    pairs = {row["query_image_id"]: row["image_id"] for row in co_click_pairs(members, seed=1).collect()}
    assert set(pairs) == set(pairs.values()) == set("abcdexy")
    assert all(query != image for query, image in pairs.items())
    assert {pairs["x"], pairs["y"]} == {"x", "y"}


def test_an_image_whose_class_has_no_other_has_no_positive(spark):
    alone = spark.createDataFrame([("a", "a")], "image_id string, class string")
    assert co_click_pairs(alone, seed=1).count() == 0
