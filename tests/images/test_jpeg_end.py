"""A JPEG without its end marker is accepted only if no pixel is missing."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from vsearch_lib.images.decode import Limits, RefusedPicture, normalise, upright_rgb
from vsearch_lib.images.jpeg_end import with_end_marker

LIMITS = Limits(max_bytes=20_000_000, max_pixels=50_000_000, min_side=16, size=64)
KINDS = {
    "baseline": ("RGB", {}),
    "progressive": ("RGB", {"progressive": True}),
    "grey": ("L", {}),
    "grey progressive": ("L", {"progressive": True}),
    "CMYK": ("CMYK", {}),
    "restart markers": ("RGB", {"restart_marker_blocks": 3}),
}


def jpeg(kind: str, **more) -> bytes:
    mode, options = KINDS[kind]
    noise = Image.fromarray(np.random.default_rng(2).integers(0, 255, (30, 30, 3), np.uint8)).resize((60, 44))
    sink = io.BytesIO()
    noise.convert(mode).save(sink, "JPEG", **options, **more)
    return sink.getvalue()


def reason(content: bytes) -> str:
    with pytest.raises(RefusedPicture) as caught:
        normalise(content, LIMITS)
    return caught.value.reason


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_its_end_marker_gives_the_same_picture(kind):
    whole = jpeg(kind)
    assert whole.endswith(b"\xff\xd9")
    for cut in (1, 2):
        picture = normalise(whole[:-cut], LIMITS)
        assert picture == normalise(whole, LIMITS)
        assert simplejpeg.decode_jpeg(picture.jpeg).shape == (44, 60, 3)
    assert (np.asarray(upright_rgb(whole[:-2], LIMITS)) == np.asarray(upright_rgb(whole, LIMITS))).all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_with_cut_pixel_data_is_accepted(kind):
    whole = jpeg(kind)
    assert [cut for cut in range(3, len(whole)) if with_end_marker(whole[:-cut]) is not None] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_picture_is_undecodable(kind):
    whole = jpeg(kind)
    for cut in (3, 20, len(whole) // 2):
        assert reason(whole[:-cut]) == "undecodable"


def test_a_progressive_picture_that_ends_between_two_scans_is_undecodable():
    whole = jpeg("progressive")
    last_scan = whole.rindex(b"\xff\xda")
    table = whole.rindex(b"\xff\xc4", 0, last_scan)
    coarse = whole[:table] + b"\xff\xd9"
    # libjpeg raises no warning: only the list of scans shows that the last bit of the pixels is missing.
    simplejpeg.decode_jpeg(coarse, strict=True)
    assert reason(whole[:table]) == "undecodable"


def test_a_photo_without_its_end_marker_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = jpeg("baseline", exif=exif)
    picture = normalise(whole[:-2], LIMITS)
    assert (picture.width, picture.height) == (44, 60)
    assert picture == normalise(whole, LIMITS)


def test_a_large_photo_without_its_end_marker_is_accepted():
    image = Image.fromarray(np.random.default_rng(2).integers(0, 255, (30, 30, 3), np.uint8)).resize((600, 440))
    sink = io.BytesIO()
    image.save(sink, "JPEG")
    whole = sink.getvalue()
    assert normalise(whole[:-2], LIMITS) == normalise(whole, LIMITS)
