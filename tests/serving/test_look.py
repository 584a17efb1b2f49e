"""The default network suggests the box of what stands out, and shows where two pictures are alike."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vsearch_lib.demo.factors import VALUES, from_codes
from vsearch_lib.demo.studio import draw_one
from vsearch_lib.encoder.activation import LocatingEmbedder
from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.projection import fit_pca
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.models.registration import to_graph
from vsearch_lib.models.registry import Recipe
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.serving.look import look, suggested_crop

CATALOGUE = 40
LIMITS = Limits(20_000_000, 50_000_000, 16, 256)
SIDES = [(400, 400), (480, 400), (640, 400), (400, 640), (900, 300), (300, 900)]


def stored(picture: Image.Image) -> bytes:
    sink = io.BytesIO()
    picture.save(sink, "PNG")
    return normalise(sink.getvalue(), LIMITS).jpeg


@pytest.fixture(scope="module")
def embedder() -> LocatingEmbedder:
    """The default network with its packaged weights, projected to the principal axes of a few drawn pictures."""
    codes = np.random.default_rng(3).integers(0, [len(values) for values in VALUES], (CATALOGUE, len(VALUES)))
    jpegs = [normalise(draw_one((7, number, from_codes(code))), LIMITS).jpeg for number, code in enumerate(codes)]
    encoder = initial_encoder(Recipe("tf_efficientnet_lite0", "", 32, None, "none"), "packaged", seed=1)
    graph = to_graph(encoder)
    features = Embedder(graph, encoder.preprocessing, batch_size=4).embed(jpegs)
    projection, _ = fit_pca(features, dimension=32, seed=1)
    return LocatingEmbedder(graph, encoder.preprocessing, projection, batch_size=1)


def suggestion(embedder: LocatingEmbedder, picture: Image.Image):
    jpeg = stored(picture)
    return suggested_crop(embedder, jpeg, embedder.locate(jpeg))


def flower(sides: tuple[int, int], centre: tuple[float, float]) -> tuple[Image.Image, tuple[float, ...]]:
    """A bright flower on plain grey, and its box (left, top, right, bottom); `centre` as fractions of the sides."""
    picture = Image.new("RGB", sides, (90, 90, 95))
    draw, radius = ImageDraw.Draw(picture), min(sides) * 0.16
    x, y = centre[0] * sides[0], centre[1] * sides[1]
    for angle in np.arange(0, 2 * np.pi, np.pi / 4):
        left, top = x + radius * 0.6 * np.cos(angle), y + radius * 0.6 * np.sin(angle)
        draw.ellipse((left - radius * 0.4, top - radius * 0.4, left + radius * 0.4, top + radius * 0.4), (250, 210, 40))
    draw.ellipse((x - radius * 0.35, y - radius * 0.35, x + radius * 0.35, y + radius * 0.35), (170, 40, 30))
    return picture, (x - radius, y - radius, x + radius, y + radius)


def covered(box: tuple[float, ...], part: tuple[float, ...], sides: tuple[int, int]) -> float:
    """The share of `part` (left, top, right, bottom in pixels) that lies in `box` (fractions)."""
    left, top = box[0] * sides[0], box[1] * sides[1]
    right, bottom = left + box[2] * sides[0], top + box[3] * sides[1]
    across = min(right, part[2]) - max(left, part[0])
    down = min(bottom, part[3]) - max(top, part[1])
    return max(across, 0) * max(down, 0) / ((part[2] - part[0]) * (part[3] - part[1]))


@pytest.mark.parametrize("sides", SIDES, ids=str)
@pytest.mark.parametrize("place", [0.25, 0.5, 0.75])
def test_the_suggested_box_covers_the_one_bright_object(embedder, sides, place):
    wide = sides[0] >= sides[1]
    picture, part = flower(sides, (place, 0.5) if wide else (0.5, place))
    box = suggestion(embedder, picture)
    assert box is not None
    assert covered(box, part, sides) > 0.9
    assert box[2] * box[3] < 0.75


@pytest.mark.parametrize("sides", SIDES, ids=str)
def test_a_suggested_box_lies_in_the_picture_and_is_a_square_of_pixels(embedder, sides):
    x, y, width, height = suggestion(embedder, flower(sides, (0.3, 0.4))[0])
    assert x >= 0
    assert y >= 0
    assert x + width <= 1 + 1e-9
    assert y + height <= 1 + 1e-9
    assert width * sides[0] == pytest.approx(height * sides[1], rel=0.02)


def test_a_mirrored_picture_has_the_mirrored_box(embedder):
    picture, _ = flower((640, 400), (0.25, 0.5))
    x, y, width, height = suggestion(embedder, picture)
    mirrored = suggestion(embedder, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert mirrored == pytest.approx((1 - x - width, y, width, height), abs=0.15)


def test_a_picture_has_the_same_suggestion_every_time(embedder):
    picture, _ = flower((640, 400), (0.7, 0.5))
    assert len({suggestion(embedder, picture) for _ in range(3)}) == 1


@pytest.mark.parametrize("colour", ["white", "black", "grey", "red", (30, 90, 200)], ids=str)
@pytest.mark.parametrize("sides", [(400, 400), (640, 400)], ids=str)
def test_a_blank_picture_has_no_suggestion(embedder, colour, sides):
    assert suggestion(embedder, Image.new("RGB", sides, colour)) is None


def test_noise_has_no_suggestion(embedder):
    noise = np.random.default_rng(1).integers(0, 255, (400, 400, 3), np.uint8)
    assert suggestion(embedder, Image.fromarray(noise)) is None


def test_two_pictures_of_one_object_are_alike_where_it_is(embedder):
    left, right = flower((400, 400), (0.25, 0.3))[0], flower((400, 400), (0.75, 0.7))[0]
    seen = look(embedder, stored(left), stored(right))
    for values, (row, column) in ((seen.query, (0.3, 0.25)), (seen.answer, (0.7, 0.75))):
        heat = np.array(values)
        assert heat.max() == 1
        assert heat.min() >= 0
        peak = np.array(np.unravel_index(heat.argmax(), heat.shape)) / heat.shape
        assert np.abs(peak - (row, column)).max() < 0.2


@pytest.mark.parametrize(("sides", "shape"), [((400, 400), (28, 28)), ((800, 400), (28, 56)), ((400, 800), (56, 28))])
def test_a_map_covers_the_whole_picture_and_is_zero_outside_the_central_square(embedder, sides, shape):
    jpeg = stored(flower(sides, (0.5, 0.5))[0])
    heat = np.array(look(embedder, jpeg, jpeg).query)
    assert heat.shape == shape
    unseen = np.ones(shape, bool)
    rows, columns = ((n - min(shape)) // 2 for n in shape)
    unseen[rows : rows + 28, columns : columns + 28] = False
    assert not heat[unseen].any()
    assert heat[~unseen].any()
