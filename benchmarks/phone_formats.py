"""Measures how long `normalise` takes for the same photos as JPEG, HEIC and AVIF, on one core.

    .venv/bin/python benchmarks/phone_formats.py ../shared/data/clothing/images

It takes the photos in their own size, and some of them enlarged to the 12 megapixels of a phone (such files are smaller
than a phone's). JPEG has quality 90; HEIC and AVIF have the default quality of their encoders.
"""

import io
import os
import sys
import time
from pathlib import Path

from PIL import Image

from vsearch_lib.config import load_settings
from vsearch_lib.images.decode import Limits, normalise

PHOTOS, LARGE = 60, 4
PHONE = (3024, 4032)
ROUNDS = 3
OPTIONS = {"JPEG": {"quality": 90}, "HEIF": {}, "AVIF": {"speed": 8}}

_image = load_settings("local").image
LIMITS = Limits(_image.max_bytes, _image.max_pixels, _image.min_side, _image.size, _image.max_aspect)


def encoded(photo: Image.Image, form: str) -> bytes:
    """Return the file of a photo in a format."""
    sink = io.BytesIO()
    photo.save(sink, form, **OPTIONS[form])
    return sink.getvalue()


def milliseconds(contents: list[bytes]) -> float:
    """Return the mean milliseconds for a photo; the best round counts for each."""
    total = 0.0
    for content in contents:
        best = float("inf")
        for _ in range(ROUNDS):
            start = time.perf_counter()
            normalise(content, LIMITS)
            best = min(best, time.perf_counter() - start)
        total += best
    return 1000 * total / len(contents)


def main(folder: str) -> None:
    """Print the milliseconds and kilobytes of a photo in each format."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    files = sorted(Path(folder).rglob("*.jpg"))
    photos = [Image.open(file).convert("RGB") for file in files[:: len(files) // PHOTOS][:PHOTOS]]
    large = [photo.resize(PHONE, Image.Resampling.BICUBIC) for photo in photos[:LARGE]]
    for name, group in (("as they are", photos), ("12 megapixels", large)):
        for form in OPTIONS:
            contents = [encoded(photo, form) for photo in group]
            size = sum(map(len, contents)) / len(contents) / 1000
            print(f"{name:14} {form:5} {milliseconds(contents):7.1f} ms  {size:7.0f} KB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
