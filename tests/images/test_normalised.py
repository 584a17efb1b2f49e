"""The stored picture of a photo: as good as one that Pillow shrinks, hashed as by imagehash, with measures of light."""

import io

import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from vsearch_lib.images.decode import Limits, Picture, normalise

LIMITS = Limits(max_bytes=20_000_000, max_pixels=50_000_000, min_side=16, size=256)


def photo(width: int, height: int, seed: int = 1) -> Image.Image:
    """Noise of every frequency, strongest at low ones, and with colour at low ones only: like a natural photo."""
    noise = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for level in range(1, 9):
        light = noise.normal(0, 90 * 0.6**level, (2**level, 2**level))
        total += _enlarged(light, width, height)[..., None]
        if level < 5:
            for channel in range(3):
                tint = noise.normal(0, 60 * 0.5**level, (2**level, 2**level))
                total[..., channel] += _enlarged(tint, width, height)
    return Image.fromarray((total + 120).clip(0, 255).astype(np.uint8))


def _enlarged(cells: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(cells.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC))


def encoded(image: Image.Image, form: str = "PNG", **options) -> bytes:
    sink = io.BytesIO()
    image.save(sink, form, **options)
    return sink.getvalue()


def stored(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.jpeg))


@pytest.mark.parametrize("sides", [(400, 533), (533, 400), (1200, 900), (2600, 2000)])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_the_stored_picture_is_as_good_as_one_that_pillow_shrinks(sides, form):
    content = encoded(photo(*sides), form, **({"quality": 92} if form == "JPEG" else {}))
    picture = stored(normalise(content, LIMITS))
    whole = Image.open(io.BytesIO(content)).convert("RGB").resize(picture.size, Image.Resampling.BILINEAR)
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(whole)).mean() < 3


@examples(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(32, 255), st.integers(32, 255))
def test_the_hash_is_that_of_imagehash_for_the_picture_before_jpeg_compression(seed, width, height):
    image = photo(width, height, seed)
    assert normalise(encoded(image), LIMITS).phash == str(imagehash.phash(image))


@pytest.mark.parametrize("sides", [(400, 533), (533, 400), (300, 257)])
def test_the_hash_of_a_shrunk_photo_is_close_to_imagehash_of_one_that_pillow_shrinks(sides):
    for seed in range(5):
        content = encoded(photo(*sides, seed=seed), "JPEG", quality=90)
        picture = normalise(content, LIMITS)
        shrunk = Image.open(io.BytesIO(content)).resize(stored(picture).size, Image.Resampling.BILINEAR)
        assert (int(picture.phash, 16) ^ int(str(imagehash.phash(shrunk)), 16)).bit_count() <= 2
        assert (int(picture.phash, 16) ^ int(str(imagehash.phash(stored(picture))), 16)).bit_count() <= 4


@pytest.mark.parametrize("grey", [0, 100, 255])
def test_a_flat_picture_has_the_brightness_of_its_grey_and_no_sharpness(grey):
    picture = normalise(encoded(Image.new("L", (300, 300), grey)), LIMITS)
    assert (picture.brightness, picture.sharpness) == (grey, 0)


def test_brightness_and_sharpness_are_those_of_the_luma_before_jpeg_compression():
    for seed in range(3):
        image = photo(250, 200, seed)
        picture = normalise(encoded(image), LIMITS)
        value = np.asarray(image.convert("L")).astype(float)
        inside = value[1:-1, :-2] + value[1:-1, 2:] + value[:-2, 1:-1] + value[2:, 1:-1] - 4 * value[1:-1, 1:-1]
        assert picture.brightness == pytest.approx(value.mean())
        assert picture.sharpness == pytest.approx(inside.var(), rel=1e-4)


def test_a_single_edge_has_the_sharpness_computed_by_hand():
    # Of the 18 inner pixels of each row, one has a neighbour that is 200 lighter, and one a neighbour 200 darker.
    image = Image.new("L", (20, 20), 0)
    image.paste(200, (10, 0, 20, 20))
    picture = normalise(encoded(image), LIMITS)
    assert picture.brightness == pytest.approx(100)
    assert picture.sharpness == pytest.approx(2 * 200**2 / 18)


def test_a_blurred_photo_is_less_sharp_and_a_darker_one_less_bright():
    image = photo(400, 300)
    sharp = normalise(encoded(image), LIMITS)
    blurred = normalise(encoded(image.filter(ImageFilter.GaussianBlur(3))), LIMITS)
    dark = normalise(encoded(image.point(lambda value: value // 2)), LIMITS)
    assert blurred.sharpness < sharp.sharpness / 4
    assert dark.brightness < sharp.brightness * 0.6


@pytest.mark.parametrize("sides", [(1, 1), (2, 2), (1, 50), (2, 50)])
def test_a_picture_without_inner_pixels_has_no_sharpness(sides):
    picture = normalise(encoded(Image.new("RGB", sides, "white")), Limits(10_000, 10_000, 1, 64))
    assert (picture.brightness, picture.sharpness) == (255, 0)
