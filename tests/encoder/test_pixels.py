"""Stored pixels become the square that the encoder takes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from vsearch_lib.encoder.pixels import end_squares, to_square

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def bands(colours: list[tuple[int, int, int]], thickness: list[int], length: int, *, upright: bool) -> np.ndarray:
    """Bands of colour, side by side or one below the other."""
    picture = np.concatenate(
        [np.full((length, t, 3), c, dtype=np.uint8) for c, t in zip(colours, thickness, strict=True)], 1
    )
    return picture.transpose(1, 0, 2) if upright else picture


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("side", [32, 64, 96])
def test_only_the_central_square_remains(jpeg, upright, side):
    picture = jpeg(bands([RED, GREEN, BLUE], [48, 64, 48], 64, upright=upright))
    square = to_square(picture, side)
    assert square.dtype == np.uint8
    assert square.shape == (side, side, 3)
    inside = square[3:-3, 3:-3].reshape(-1, 3).astype(int)
    assert np.abs(inside - np.array(GREEN)).max() <= 12


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("side", [32, 64, 96])
def test_the_squares_at_the_ends_show_the_ends(jpeg, upright, side):
    picture = jpeg(bands([RED, GREEN, BLUE], [64, 48, 64], 64, upright=upright))
    for square, colour in zip(end_squares(picture, side), (RED, BLUE), strict=True):
        assert square.dtype == np.uint8
        assert square.shape == (side, side, 3)
        assert np.abs(square[3:-3, 3:-3].reshape(-1, 3).astype(int) - np.array(colour)).max() <= 12


def test_the_ends_of_a_square_picture_are_the_picture(jpeg):
    rng = np.random.default_rng(1)
    picture = jpeg(rng.integers(0, 255, (64, 64, 3), np.uint8))
    for square in end_squares(picture, 32):
        np.testing.assert_array_equal(square, to_square(picture, 32))


def test_the_square_is_not_mirrored_or_rotated(jpeg):
    quarters = np.zeros((64, 64, 3), dtype=np.uint8)
    quarters[:32, :32], quarters[:32, 32:], quarters[32:, :32] = RED, GREEN, BLUE
    square = to_square(jpeg(quarters), 64).astype(int)
    for (y, x), colour in {(16, 16): RED, (16, 48): GREEN, (48, 16): BLUE, (48, 48): (0, 0, 0)}.items():
        assert np.abs(square[y, x] - np.array(colour)).max() <= 6


def test_the_square_agrees_with_pillow_on_a_smooth_picture(jpeg):
    y, x = np.mgrid[0:256, 0:256]
    picture = jpeg(np.stack([x, y, (x + y) // 2], axis=2).astype(np.uint8))
    expected = np.asarray(Image.open(io.BytesIO(picture)).resize((64, 64), Image.Resampling.BILINEAR), dtype=int)
    square = to_square(picture, 64).astype(int)
    assert np.abs(square - expected)[1:-1, 1:-1].max() <= 4


def test_the_square_is_written_to_the_given_array(jpeg):
    picture = jpeg(np.random.default_rng(1).integers(0, 256, (90, 70, 3), dtype=np.uint8))
    batch = np.zeros((2, 48, 48, 3), np.uint8)
    to_square(memoryview(picture), 48, out=batch[1])
    np.testing.assert_array_equal(batch[1], to_square(picture, 48))
    assert not batch[0].any()


@pytest.mark.parametrize("content", [b"", b"not a jpeg", b"\x89PNG\r\n\x1a\n" + b"\0" * 100])
def test_bytes_that_are_not_a_jpeg_are_a_value_error(content):
    with pytest.raises(ValueError):  # noqa: PT011 - the decoder's own messages
        to_square(content, 32)
