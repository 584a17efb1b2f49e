"""A view is a function of the picture's sha256, the view's number and the recipe, and shows what people search with."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.photo_catalogue import BROKEN, picture
from tests.support.small_model import small_graph
from vsearch_lib.embedding import views
from vsearch_lib.embedding.views import ViewRecipe, Views
from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.examples.boxes import PRIOR, Boxes

RECIPE = ViewRecipe.of(PRIOR)
SIDE = 32


def noise(side: int = 40) -> np.ndarray:
    return np.random.default_rng(9).integers(0, 256, (side, side, 3), np.uint8)


def view(square: np.ndarray, number: int, recipe: ViewRecipe = RECIPE, sha256: str = "a" * 64) -> np.ndarray:
    out = np.empty((SIDE, SIDE, 3), np.uint8)
    recipe.draw(square, out, sha256=sha256, number=number)
    return out


def boxes(side: float, log_aspect: float = 0.0) -> Boxes:
    return Boxes(100, (side,) * 21, (log_aspect,) * 21)


def test_the_same_picture_number_and_recipe_give_the_same_view():
    square = noise()
    before = square.copy()
    np.testing.assert_array_equal(view(square, 1), view(square, 1))
    np.testing.assert_array_equal(square, before)


@pytest.mark.parametrize(
    ("number", "sha256", "recipe"),
    [(2, "a" * 64, RECIPE), (1, "b" * 64, RECIPE), (1, "a" * 64, ViewRecipe.of(boxes(0.5)))],
)
def test_another_number_picture_or_recipe_gives_another_view(number, sha256, recipe):
    first, other = view(noise(), 1).astype(int), view(noise(), number, recipe, sha256).astype(int)
    assert np.abs(first - other).mean() > 5


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 1000), st.sampled_from([8, 32, 40]))
def test_a_picture_of_twice_the_brightness_has_a_view_of_twice_the_brightness_up_to_white(number, side):
    once, twice = (view(np.full((side, side, 3), value, np.uint8), number).astype(int) for value in (100, 200))
    erased = (once == twice).all(axis=2, keepdims=True)
    assert (erased | (np.abs(twice - (2 * once).clip(max=255)) <= 1)).all()
    assert erased.mean() < 0.25


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0.5, 1.5), min_size=3, max_size=3), st.floats(0.6, 1.4), st.floats(0, 1.5))
def test_colours_change_in_the_order_brightness_contrast_saturation(gains, contrast, saturation):
    expected = noise() * np.array(gains)
    expected = expected.mean() + (expected - expected.mean()) * contrast
    grey = expected.mean(axis=2, keepdims=True)
    expected = (grey + (expected - grey) * saturation).clip(0, 255)
    np.testing.assert_allclose(views._recolour(noise(), np.array(gains), contrast, saturation), expected, atol=1)


def test_views_show_as_much_of_a_picture_as_the_boxes_of_users():
    """The rows of the picture get brighter downwards: a quarter of the rows has a quarter of the brightnesses."""
    ramp = np.broadcast_to(np.linspace(0, 255, 128).astype(np.uint8)[:, None, None], (128, 128, 3)).copy()
    for side in (0.25, 0.5):
        recipe = ViewRecipe.of(boxes(side))
        spans = []
        for number in range(60):
            random = np.random.default_rng(number)
            made = recipe._crop_and_turn(ramp, SIDE, random)
            spans.append(np.ptp(made))
        # A turn by up to 30 degrees changes the span by a factor between 1 and 1.37.
        assert 0.9 * side < np.median(spans) / 255 < 1.4 * side


def test_a_crop_of_everything_without_a_turn_is_the_picture_or_its_mirror_image(monkeypatch):
    monkeypatch.setattr(views, "MAX_TURN_DEGREES", 0.0)
    square = noise(SIDE)
    whole = ViewRecipe.of(boxes(1.0))
    made = [whole._crop_and_turn(square, SIDE, np.random.default_rng(seed)) for seed in range(20)]
    mirrored = [np.array_equal(one, square[:, ::-1]) for one in made]
    assert 0 < sum(mirrored) < 20
    assert all(is_mirrored or np.array_equal(one, square) for one, is_mirrored in zip(made, mirrored, strict=True))


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=21, max_size=21), st.lists(st.floats(-3, 3), min_size=21, max_size=21))
def test_a_recipe_is_read_back_from_its_text(sides, log_aspects):
    recipe = ViewRecipe(tuple(sorted(sides)), tuple(sorted(log_aspects)))
    assert ViewRecipe.read(recipe.text) == recipe
    assert recipe.is_like(recipe)


def test_recipes_are_alike_if_they_crop_almost_alike_by_the_same_code():
    recipe = ViewRecipe.of(boxes(0.5))
    assert recipe.is_like(ViewRecipe.of(boxes(0.52, -0.03)))
    assert not recipe.is_like(ViewRecipe.of(boxes(0.6)))
    assert not recipe.is_like(ViewRecipe.of(boxes(0.5, 0.1)))
    assert not recipe.is_like(ViewRecipe(recipe.sides, recipe.log_aspects, release=0))


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(small_graph(side=SIDE), Preprocessing(SIDE, (0.5,) * 3, (0.5,) * 3), batch_size=4, threads=1)


def test_the_vectors_of_views_are_those_of_the_drawn_squares_and_a_broken_picture_affects_no_other(embedder):
    jpegs = [picture(1), BROKEN, picture(2)]
    hashes = [hashlib.sha256(jpeg).hexdigest() for jpeg in jpegs]
    embedded = Views(RECIPE, 3).embed(embedder, hashes, jpegs)
    assert embedded.vectors.shape == (3, 3 * 256)
    assert {picture: reason for picture, (reason, _) in embedded.refused.items()} == {1: "undecodable"}
    vectors = embedded.vectors.reshape(3, 3, 256)
    np.testing.assert_allclose(np.linalg.norm(vectors[[0, 2]], axis=2), 1, atol=1e-5)
    assert not vectors[1].any()

    alone = Views(RECIPE, 2).embed(embedder, hashes[2:], jpegs[2:])
    np.testing.assert_allclose(alone.vectors.reshape(2, 256), vectors[2, :2], atol=1e-5)
    assert (vectors[2, 0] @ vectors[2, 1]) < 0.9999
