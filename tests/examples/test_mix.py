"""Each source weighs what the settings say, and no query has more than its share of examples."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from vsearch_lib.examples.augmentation import augmentation_pairs
from vsearch_lib.examples.mix import mixed

PAIRS = "query_image_id string, image_id string, strength double"


@pytest.fixture(scope="module")
def mix(spark):
    def of(sources: dict[str, list[tuple[str, str, float]]], weights: dict[str, float], *, limit: int = 5, seed=1):
        frames = {name: spark.createDataFrame(rows, PAIRS) for name, rows in sources.items()}
        return mixed(frames, weights, pairs_per_query=limit, seed=seed).collect()

    return of


def test_an_average_example_has_the_weight_of_its_source(mix):
    click = [("a", "b", 0.1), ("a", "c", 0.3), ("d", "e", 0.5)]
    rows = mix({"click": click, "judgement": [("a", "b", 4.0)]}, {"click": 2.0, "judgement": 0.5})
    weights = {(row["source"], row["query_image_id"], row["image_id"]): row["weight"] for row in rows}
    assert weights == pytest.approx(
        {
            ("click", "a", "b"): 2 * 0.1 / 0.3,
            ("click", "a", "c"): 2.0,
            ("click", "d", "e"): 2 * 0.5 / 0.3,
            ("judgement", "a", "b"): 0.5,
        },
        rel=1e-6,
    )


def test_a_query_keeps_its_strongest_pairs(mix):
    pairs = [("everybody's", f"i{n}", float(1 + n)) for n in range(9)] + [("other", "x", 1.0)]
    rows = mix({"click": pairs}, {"click": 1.0}, limit=3)
    assert sorted((row["query_image_id"], row["image_id"]) for row in rows) == [
        ("everybody's", "i6"),
        ("everybody's", "i7"),
        ("everybody's", "i8"),
        ("other", "x"),
    ]


def test_equally_strong_pairs_are_chosen_by_the_seed(mix):
    pairs = [("q", f"i{n}", 1.0) for n in range(30)]
    first, same, other = ({row["image_id"] for row in mix({"click": pairs}, {"click": 1.0}, seed=s)} for s in (1, 1, 2))
    assert first == same != other


def test_ids_of_any_characters_give_different_examples(mix):
    rows = mix({"click": [('a","b', "c", 1.0), ("a", 'b","c', 1.0)]}, {"click": 1.0})
    ids = [row["example_id"] for row in rows]
    assert len(set(ids)) == 2
    assert sorted(json.loads(name.removeprefix("click:")) for name in ids) == [["a", 'b","c'], ['a","b', "c"]]


def test_a_pair_without_strength_is_no_example(mix):
    assert mix({"click": [("a", "b", 0.0)]}, {"click": 1.0}) == []


def test_each_image_is_its_own_positive_once(spark):
    images = spark.createDataFrame([(f"i{n}",) for n in range(7)], "image_id string")
    rows = augmentation_pairs(images).collect()
    assert Counter((row["query_image_id"], row["image_id"]) for row in rows) == {
        (f"i{n}", f"i{n}"): 1 for n in range(7)
    }
