"""A picture file gets the same vector as its stored form, or is refused in one line."""

from __future__ import annotations

import io
import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.network import untrained
from vsearch_lib.errors import InvalidArgument, UsageError
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.models.registration import to_graph
from vsearch_lib.serving.ask import Ask, Crop
from vsearch_lib.serving.query import RefusedQuery, box_of, check_ask, fractions_of, query_picture

LIMITS = Limits(max_bytes=1_000_000, max_pixels=1_000_000, min_side=16, size=64)


@pytest.fixture(scope="module")
def model() -> Embedder:
    encoder = untrained("small", dimension=16, seed=3, side=32)
    projection = encoder.projection.as_arrays()
    return Embedder(to_graph(encoder), encoder.preprocessing, projection, batch_size=1)


def blocks(width: int = 96, height: int = 64, seed: int = 1) -> Image.Image:
    grain = np.random.default_rng(seed).integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    return Image.fromarray(np.kron(grain, np.ones((16, 16, 1), dtype=np.uint8)))


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def query_jpeg(content: bytes, limits: Limits, *, crop: tuple[float, float, float, float] | None = None) -> bytes:
    return query_picture(content, limits, Crop(*crop) if crop else None).jpeg


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum())


def test_a_query_has_the_vector_of_the_stored_picture(model):
    content = encoded(blocks())
    stored = model.embed([normalise(content, LIMITS).jpeg])
    assert cosine(model.embed([query_jpeg(content, LIMITS)]), stored) > 0.9999


def test_a_crop_has_the_same_vector_as_that_part_saved_as_a_picture(model):
    picture = blocks()
    part = model.embed([query_jpeg(encoded(picture.crop((32, 16, 80, 64))), LIMITS)])
    assert cosine(model.embed([query_jpeg(encoded(picture), LIMITS, crop=(32, 16, 48, 48))]), part) > 0.9999
    assert cosine(model.embed([query_jpeg(encoded(picture), LIMITS)]), part) < 0.9999


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "JPEG without its end marker"])
def test_a_query_or_crop_may_have_any_format_that_can_be_ingested(model, kind):
    picture = blocks()
    content = encoded(picture, kind) if kind in ("HEIF", "AVIF") else encoded(picture, "JPEG")[:-2]
    assert (
        cosine(model.embed([query_jpeg(content, LIMITS)]), model.embed([query_jpeg(encoded(picture), LIMITS)])) > 0.99
    )
    part = model.embed([query_jpeg(encoded(picture.crop((32, 16, 80, 64))), LIMITS)])
    assert cosine(model.embed([query_jpeg(content, LIMITS, crop=(32, 16, 48, 48))]), part) > 0.99


def test_a_crop_is_counted_in_the_upright_picture(model):
    picture = blocks()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    content = encoded(picture, "PNG", exif=exif)
    upright = picture.rotate(-90, expand=True)
    expected = model.embed([query_jpeg(encoded(upright.crop((16, 48, 64, 96))), LIMITS)])
    assert cosine(model.embed([query_jpeg(content, LIMITS, crop=(16, 48, 48, 48))]), expected) > 0.9999


def see_through() -> Image.Image:
    """A picture that is half transparent: its stored form is white there, whatever colour the file has."""
    picture = blocks().convert("RGBA")
    picture.paste((255, 0, 0, 0), (0, 0, 48, 64))
    return picture


def sixteen_bit() -> Image.Image:
    ramp = np.kron(np.arange(24, dtype=np.uint16).reshape(4, 6) * 2700, np.ones((16, 16), dtype=np.uint16))
    return Image.fromarray(ramp)


@pytest.mark.parametrize(
    "picture", [see_through, sixteen_bit, lambda: blocks().convert("P"), lambda: blocks().convert("L")]
)
def test_a_crop_of_the_whole_picture_has_the_same_vector_in_every_colour_mode(model, picture):
    content = encoded(picture())
    whole = model.embed([query_jpeg(content, LIMITS)])
    assert cosine(model.embed([query_jpeg(content, LIMITS, crop=(0, 0, 96, 64))]), whole) > 0.9999


@pytest.mark.parametrize(
    "crop",
    [(-1, 0, 20, 20), (0, -1, 20, 20), (77, 0, 20, 20), (0, 45, 20, 20), (0, 0, 97, 64), (0, 0, 0, 0), (5, 5, 20, -3)],
)
def test_a_crop_outside_the_picture_is_refused_with_its_size(crop):
    with pytest.raises(UsageError, match="lies outside the picture, which is 96 x 64"):
        query_jpeg(encoded(blocks()), LIMITS, crop=crop)


@pytest.mark.parametrize("crop", [None, (0, 0, 20, 20)])
@pytest.mark.parametrize(
    "content", [b"", b"text", encoded(blocks())[:300], b"\xff\xd8\xff\xe0 cut", b"x" * 1_000_001], ids=range(5)
)
def test_a_file_that_is_not_a_picture_is_refused_in_one_line(content, crop):
    with pytest.raises(UsageError, match="the query picture is refused") as refused:
        query_jpeg(content, LIMITS, crop=crop)
    assert "\n" not in str(refused.value)


def test_a_large_crop_is_not_refused_for_its_bytes(model):
    """The limit is for files, and a crop is not a file: as a PNG it would be larger than its photo."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8))
    photo = encoded(noise, "JPEG", quality=50)
    limits = Limits(max_bytes=100_000, max_pixels=1_000_000, min_side=16, size=64)
    assert model.embed([query_jpeg(photo, limits, crop=(10, 10, 280, 280))]).shape == (1, 16)


def test_a_crop_that_is_too_small_is_refused(model):
    with pytest.raises(UsageError, match="too_small"):
        model.embed([query_jpeg(encoded(blocks()), LIMITS, crop=(0, 0, 15, 40))])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(4))
def test_a_crop_with_a_number_that_is_not_finite_is_refused_in_one_line(bad, place):
    crop = [0.1, 0.1, 0.5, 0.5]
    crop[place] = bad
    with pytest.raises(InvalidArgument, match="not four finite numbers") as refused:
        query_jpeg(encoded(blocks()), LIMITS, crop=tuple(crop))
    assert "\n" not in str(refused.value)


def test_a_crop_in_pixels_and_the_same_crop_in_fractions_are_the_same_part():
    content = encoded(blocks())
    in_pixels = query_picture(content, LIMITS, Crop(24, 16, 48, 32))
    assert in_pixels.crop == (0.25, 0.25, 0.5, 0.5)
    assert query_picture(content, LIMITS, Crop(0.25, 0.25, 0.5, 0.5)) == in_pixels


def test_pixels_of_the_original_select_the_same_part_of_a_smaller_copy():
    large = blocks().resize((960, 640), Image.Resampling.NEAREST)
    of_original = query_picture(encoded(large), LIMITS, Crop(320, 160, 480, 480))
    of_copy = query_picture(encoded(blocks()), LIMITS, Crop(320, 160, 480, 480), original=(960, 640))
    assert of_copy.crop == of_original.crop == pytest.approx((1 / 3, 1 / 4, 1 / 2, 3 / 4))
    assert of_copy.jpeg == query_jpeg(encoded(blocks().crop((32, 16, 80, 64))), LIMITS)


def test_a_whole_picture_has_its_perceptual_hash_and_no_crop():
    content = encoded(blocks())
    whole = query_picture(content, LIMITS)
    assert (whole.phash, whole.crop) == (normalise(content, LIMITS).phash, None)
    assert query_picture(content, LIMITS, Crop(0, 0, 48, 48)).phash is None


@pytest.mark.parametrize("crop", [(0.6667, 0, 0.3334, 1), (-0.004, 0, 0.5, 0.5), (76.4, 0, 20, 20)])
def test_a_crop_may_reach_beyond_the_picture_by_its_rounding(crop):
    x, y, width, height = query_picture(encoded(blocks()), LIMITS, Crop(*crop)).crop
    assert min(x, y) >= 0
    assert x + width <= 1
    assert y + height <= 1


SIDES = st.integers(16, 5000)
SHARE = st.floats(0, 1)


@settings(deadline=None)
@given(SIDES, SIDES, SHARE, SHARE, SHARE, SHARE)
def test_any_crop_inside_a_picture_is_a_box_of_whole_pixels_inside_it(width, height, x, y, w, h):
    sides = (width, height)
    crop = Crop(x, y, (1 - x) * w, (1 - y) * h)
    try:
        fractions = fractions_of(crop, sides)
    except InvalidArgument:
        assert x + crop.width <= x or y + crop.height <= y
        return
    left, top, across, down = box_of(fractions, sides)
    assert left >= 0
    assert top >= 0
    assert across >= 1
    assert down >= 1
    assert left + across <= width
    assert top + down <= height
    assert abs(left - x * width) <= 1
    assert abs(left + across - (x + crop.width) * width) <= 1.5


@settings(deadline=None)
@given(st.lists(st.floats(), min_size=4, max_size=4), SIDES, SIDES)
def test_any_four_numbers_are_a_crop_or_an_invalid_argument(numbers, width, height):
    with suppress(InvalidArgument):
        x, y, w, h = fractions_of(Crop(*numbers), (width, height))
        assert min(x, y) >= 0
        assert min(w, h) > 0
        assert max(x + w, y + h) <= 1 + 1e-9


def test_a_refused_picture_has_a_reason():
    with pytest.raises(RefusedQuery) as refused:
        query_picture(b"text", LIMITS)
    assert refused.value.reason == "unsupported_format"


@pytest.mark.parametrize(
    ("ask", "argument"),
    [
        (Ask(), "image"),
        (Ask(unlike=("a",)), "image"),
        (Ask(picture=b"p", image_id="a"), "image_id"),
        (Ask(like=("a",), crop=Crop(0, 0, 1, 1)), "crop"),
        (Ask(image_id="a", k=0), "k"),
    ],
)
def test_a_query_without_something_to_search_with_is_refused(ask, argument):
    with pytest.raises(InvalidArgument) as refused:
        check_ask(ask)
    assert refused.value.argument == argument


@pytest.mark.parametrize("ask", [Ask(picture=b"p"), Ask(image_id="a", unlike=("b",)), Ask(like=("a",))])
def test_a_query_with_a_picture_an_image_or_examples_is_accepted(ask):
    check_ask(ask)
