"""Diverse answers are chosen by maximal marginal relevance."""

import numpy as np
import pytest

from tests.support.candidates import candidate, ids, marked
from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.rules.diversity import diversity

# Cosines to the query (1, 0, 0) are .9, .8 and .6. Products: a·b = .94, a·c = .54, b·c = .48.
A, B, C = (0.9, 0.4358899, 0), (0.8, 0.5047, 0.3241), (0.6, 0, -0.8)
IMAGES = [candidate("a", 0.9, vector=A), candidate("b", 0.8, vector=B), candidate("c", 0.6, vector=C)]


def test_an_answer_that_differs_from_the_first_comes_before_one_that_does_not():
    """With weight .5: b has .5·.8 - .5·.94 = -.07, and c has .5·.6 - .5·.54 = .03."""
    assert np.dot(A, B) == pytest.approx(0.94, abs=1e-3)
    assert np.dot(A, C) == pytest.approx(0.54, abs=1e-3)
    kept = diversity(IMAGES, Wish(k=3), weight=0.5)
    assert ids(kept) == ["a", "c", "b"]
    assert marked(kept) == dict.fromkeys(("c", "b"), ("diversity",))


def test_with_a_small_weight_the_most_similar_answers_come_first():
    """With weight .1: b has .72 - .094 = .626, and c has .54 - .054 = .486."""
    assert diversity(IMAGES, Wish(k=3), weight=0.1) == IMAGES


def test_only_the_first_k_are_chosen_and_the_others_follow_in_their_order():
    more = [*IMAGES, candidate("d", 0.5, vector=(0.5, -0.866, 0)), candidate("e", 0.4, vector=(0.4, 0, -0.9165))]
    assert ids(diversity(more, Wish(k=2), weight=0.5)) == ["a", "d", "b", "c", "e"]


def test_without_a_weight_the_order_stays():
    assert diversity(IMAGES, Wish(k=3), weight=0) == IMAGES
    assert diversity([], Wish(k=3), weight=0.5) == []
