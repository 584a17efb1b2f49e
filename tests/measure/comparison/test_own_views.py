"""Parts of pictures: the same ones in each run, and the rank at which each finds its picture."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg

from vsearch_lib.images.decode import Limits
from vsearch_lib.measure.comparison.evidence import Pair
from vsearch_lib.measure.comparison.own_views import VIEWS, own_ranks, own_view_evidence, views_of

LIMITS = Limits(max_bytes=10**7, max_pixels=10**6, min_side=1, size=256)


def directions(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_views_are_parts_of_their_picture_and_the_same_each_time(draw):
    pictures = [("a", draw(1)), ("b", draw(2))]
    views = list(views_of(pictures, LIMITS, seed=3))
    assert [name for name, _ in views] == ["a"] * VIEWS + ["b"] * VIEWS
    assert views == list(views_of(pictures, LIMITS, seed=3))
    assert len({jpeg for _, jpeg in views}) == 2 * VIEWS
    assert views != list(views_of(pictures, LIMITS, seed=4))
    for _, jpeg in views:
        height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
        assert 0.5 * 48 - 1 <= width <= 0.8 * 48 + 1
        assert 0.5 * 40 - 1 <= height <= 0.8 * 40 + 1


def test_a_picture_that_cannot_be_read_has_no_view_and_stops_nothing(draw):
    views = views_of([("broken", b"\xff\xd8\xff\xe0 cut"), ("a", draw(1))], LIMITS, seed=3)
    assert [name for name, _ in views] == ["a"] * VIEWS


def test_the_rank_counts_the_pictures_that_are_nearer():
    catalogue = directions(0, 30, 60, 90)
    assert own_ranks(directions(1, 1, 50), [0, 3, 1], catalogue).tolist() == [1, 4, 2]


def test_a_model_that_gives_all_pictures_one_vector_finds_nothing():
    assert own_ranks(directions(0, 0), [0, 2], directions(0, 0, 0)).tolist() == [3, 3]


def test_the_views_of_a_picture_count_together():
    ids, shown = list("abc"), list("aabc")
    catalogue = directions(0, 40, 80)
    vectors = {"new": catalogue, "used": catalogue}
    views = {
        "new": directions(0, 30, 40, 80),  # the second view of a finds b first
        "used": directions(0, 0, 40, 0),  # the view of c finds c last
    }
    evidence = own_view_evidence(Pair("new", "used", seed=1), ids, vectors, shown, views)
    assert evidence.new == pytest.approx((3 / 4 + 1 + 1) / 3)
    assert evidence.used == pytest.approx((1 + 1 + 1 / 3) / 3)
    assert evidence.gain.n == 3
    at_once = {figure.subject: figure.value for figure in evidence.figures if figure.metric == "recall_at_1"}
    assert at_once == {"model new": pytest.approx(2.5 / 3), "model used": pytest.approx(2 / 3)}
