"""Measures photos a second on one core: `normalise` and SHA-256 beside an ordinary loop with Pillow.

    .venv/bin/python benchmarks/ingest_photos.py ../shared/data/clothing/images

The loops take turns at blocks of the same photos, each in its own process on the same core. The plain loop resizes with
LANCZOS, which Pillow's manual advises for shrinking, and in a second version with BICUBIC, the default of `resize`.
"""

import hashlib
import io
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import imagehash
from PIL import Image, ImageOps

from vsearch_lib.config import load_settings
from vsearch_lib.images.decode import Limits, normalise

PHOTOS = 600
BLOCK = 50
ROUNDS = 3


def plain(content: bytes, resample: Image.Resampling = Image.Resampling.LANCZOS) -> tuple[bytes, str, str]:
    """Return the shrunk JPEG, the SHA-256 of the file and the perceptual hash, computed with Pillow."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)).convert("RGB"))
    scale = 256 / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), resample)
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=90)
    return sink.getvalue(), hashlib.sha256(content).hexdigest(), str(imagehash.phash(image))


def plain_default(content: bytes) -> tuple[bytes, str, str]:
    """Do the same as `plain`, with the default filter of `resize`."""
    return plain(content, Image.Resampling.BICUBIC)


def ours(content: bytes) -> tuple[bytes, str, str]:
    """Return the same as `plain`, computed by the library."""
    picture = normalise(content, LIMITS)
    return picture.jpeg, hashlib.sha256(content).hexdigest(), picture.phash


_image = load_settings("local").image
LIMITS = Limits(
    max_bytes=_image.max_bytes,
    max_pixels=_image.max_pixels,
    max_aspect=_image.max_aspect,
    min_side=_image.min_side,
    size=_image.size,
)
LOOPS: dict[str, Callable[[bytes], tuple[bytes, str, str]]] = {
    "plain loop, LANCZOS": plain,
    "plain loop, BICUBIC": plain_default,
    "normalise": ours,
}


def pin(core: int) -> None:
    """Keep this process on one core, if the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def seconds(loop: str, contents: Sequence[bytes]) -> float:
    """Return how long a loop takes for a block, in seconds."""
    start = time.perf_counter()
    for content in contents:
        LOOPS[loop](content)
    return time.perf_counter() - start


def main(folder: str) -> None:
    """Print the photos a second of each loop, and the ratio of `normalise` to it."""
    files = [file for file in sorted(Path(folder).rglob("*")) if file.suffix.lower() in (".jpg", ".jpeg")]
    contents = [file.read_bytes() for file in files[:: max(1, len(files) // PHOTOS)][:PHOTOS]]
    blocks = [contents[start : start + BLOCK] for start in range(0, len(contents), BLOCK)]
    core = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    context = multiprocessing.get_context("spawn")
    workers = {loop: ProcessPoolExecutor(1, context, pin, (core,)) for loop in LOOPS}
    for loop, worker in workers.items():
        worker.submit(seconds, loop, blocks[0]).result()  # imports and first uses are not timed
    # The best round of each block: other work on this machine can only add time.
    best = {loop: [float("inf")] * len(blocks) for loop in LOOPS}
    for _ in range(ROUNDS):
        for number, block in enumerate(blocks):
            for loop, worker in workers.items():
                best[loop][number] = min(best[loop][number], worker.submit(seconds, loop, block).result())
    rate = {loop: len(contents) / sum(times) for loop, times in best.items()}
    print(f"{len(contents)} photos, one core, best of {ROUNDS} rounds")
    for loop in LOOPS:
        print(f"{loop:20} {rate[loop]:6.0f} photos/s   normalise / this: {rate['normalise'] / rate[loop]:.2f}")
    for worker in workers.values():
        worker.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
