"""A third of the pairs to label are those where model and clicks disagree, a third are unsure, a third are random."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples.test_step import click, judge
from tests.support.photo_catalogue import Catalogue
from vsearch_lib.errors import VsearchError
from vsearch_lib.examples.label_next import (
    DISAGREE,
    RANDOM,
    UNSURE,
    PairToLabel,
    boundary_of,
    choose,
    landing_csv,
    pairs_to_label,
)


def test_the_pairs_whose_ranks_differ_most_come_first():
    """By cosine the order is 0 1 2 3; clicks exchange the first and the last."""
    chosen = choose(np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.1, 0.6, 0.5, 0.9]), None, pairs=6, seed=1)
    assert sorted(chosen[DISAGREE].tolist()) == [0, 3]


def test_the_model_is_least_sure_about_the_cosines_nearest_to_the_boundary():
    cosine = np.array([0.95, 0.55, 0.5, 0.1, 0.44])
    unknown = np.full(5, np.nan)
    assert choose(cosine, unknown, 0.5, pairs=3, seed=1)[UNSURE].tolist() == [2, 1]
    assert choose(cosine, unknown, None, pairs=3, seed=1)[UNSURE].tolist() == [2, 1]  # the median is 0.5


def test_the_boundary_is_halfway_between_alike_and_other_pairs():
    cosine = np.array([0.9, 0.7, 0.3, 0.1])
    assert boundary_of(cosine, np.array([True, True, False, False])) == pytest.approx(0.5)
    assert boundary_of(cosine, np.ones(4, dtype=bool)) is None
    assert boundary_of(np.zeros(0), np.zeros(0, dtype=bool)) is None


@given(
    pool=st.lists(st.tuples(st.floats(-1, 1), st.none() | st.floats(0, 1)), min_size=1, max_size=40),
    pairs=st.integers(1, 50),
)
def test_no_pair_is_chosen_twice_and_as_many_as_wanted_are_chosen_if_there_are(pool, pairs):
    cosine = np.array([one for one, _ in pool])
    relevance = np.array([np.nan if known is None else known for _, known in pool])
    chosen = choose(cosine, relevance, None, pairs=pairs, seed=3)
    rows = np.concatenate(list(chosen.values()))
    assert len(rows) == len(set(rows.tolist())) == min(pairs, len(pool))
    assert len(chosen[DISAGREE]) <= pairs // 3
    if len(pool) >= pairs:
        assert len(chosen[RANDOM]) == pairs - 2 * pairs // 3


def test_the_file_has_a_line_for_each_pair_to_be_filled_in():
    pairs = [PairToLabel('a,"b', "c", 0.5, None, RANDOM), PairToLabel("d", "e", 0.1, 0.2, DISAGREE)]
    assert list(csv.DictReader(io.StringIO(landing_csv(pairs)))) == [
        {"query_image_id": 'a,"b', "image_id": "c", "annotator": "", "score": ""},
        {"query_image_id": "d", "image_id": "e", "annotator": "", "score": ""},
    ]


def test_pairs_that_users_saw_are_chosen_unless_they_are_judged_private_or_the_same(catalogue, jpegs):
    with pytest.raises(VsearchError, match=r"no pair to label: .* run vsearch run nightly first"):
        pairs_to_label(catalogue.lake, catalogue.settings, pairs=9)
    land(catalogue, {**jpegs, "copy": jpegs["image-00"]})
    seen = [("image-00", "image-01"), ("image-00", "image-02"), ("image-00", "image-03"), ("image-00", "copy")]
    click(catalogue, [*seen, ("image-04", "image-05")], users=6)
    judge(catalogue, [("image-00", "image-02", "ann", 1)])
    digest = catalogue.lake.read("images").where("image_id = 'image-03'").first()["sha256"]
    catalogue.images({"image-03": digest}, visibility="private")
    pairs = pairs_to_label(catalogue.lake, catalogue.settings, pairs=9)
    assert {(pair.query_image_id, pair.image_id) for pair in pairs} == {
        ("image-00", "image-01"),
        ("image-04", "image-05"),
    }
    vectors = catalogue.vectors()
    for pair in pairs:
        expected = float(vectors[pair.query_image_id] @ vectors[pair.image_id])
        assert pair.cosine == pytest.approx(expected, abs=1e-6)
        assert 0 < pair.relevance <= 1


def land(catalogue: Catalogue, jpegs: dict[str, bytes]) -> None:
    catalogue.land(jpegs)
    catalogue.embed()
