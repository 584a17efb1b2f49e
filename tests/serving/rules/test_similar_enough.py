"""Answers below the calibrated cut-off are dropped."""

from tests.support.candidates import candidate, ids
from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.rules.similar_enough import similar_enough

IMAGES = [candidate("a", 0.9), candidate("b", 0.6), candidate("c", 0.59)]


def test_candidates_that_reach_the_cut_off_stay():
    assert ids(similar_enough(IMAGES, Wish(k=3, cut_off=0.6))) == ["a", "b"]
    assert similar_enough(IMAGES, Wish(k=3, cut_off=0.95)) == []


def test_an_index_without_a_calibration_has_no_cut_off():
    assert similar_enough(IMAGES, Wish(k=3)) == IMAGES
