"""A draw takes different items of its kind, from an urn of bounded size."""

from __future__ import annotations

from collections import defaultdict

import pytest

from vsearch_lib.examples import urns
from vsearch_lib.examples.urns import drawn, in_urns


@pytest.fixture(scope="module")
def draw(spark):
    def of(items: list[tuple[str, str]], examples: list[tuple[str, str]], *, draws: int):
        placed = in_urns(spark.createDataFrame(items, "kind string, group string"), seed=3)
        made = drawn(spark.createDataFrame(examples, "example_id string, kind string"), placed, draws=draws, seed=3)
        found = defaultdict(list)
        for row in sorted(made.collect(), key=lambda row: row["draw"]):
            found[row["example_id"]].append((row["kind"], row["group"]))
        return placed, dict(found)

    return of


def test_draws_are_different_items_of_the_kind(draw):
    items = [("red", f"r{n}") for n in range(5)] + [("blue", f"b{n}") for n in range(3)]
    _, found = draw(items, [("e1", "red"), ("e2", "blue"), ("e3", "green")], draws=4)
    assert {example: len(set(groups)) for example, groups in found.items()} == {"e1": 4, "e2": 3}
    assert {kind for kind, _ in found["e1"]} == {"red"}
    assert {kind for kind, _ in found["e2"]} == {"blue"}


def test_a_kind_with_many_items_is_spread_over_urns_and_all_of_them_are_drawn_from(draw, monkeypatch):
    monkeypatch.setattr(urns, "URN_SIZE", 20)
    items = [("", f"g{n:03d}") for n in range(200)]
    placed, found = draw(items, [(f"e{n}", "") for n in range(400)], draws=2)
    sizes = {row["urn"]: row["size"] for row in placed.select("urn", "size").distinct().collect()}
    assert len(sizes) == 10
    assert sum(sizes.values()) == 200
    assert all(len(set(groups)) == 2 for groups in found.values())
    assert len({group for groups in found.values() for _, group in groups}) > 150
