"""What a search has to beat: the pixels themselves, and the network before it learned anything."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.pixels import to_square
from vsearch_lib.vectors import Vectors

PIXELS_SIDE = 32
_BATCH = 64


@dataclass(frozen=True)
class Baselines:
    """Unit vectors of the same images: (n, 3072) of their pixels and (n, d) of the untrained network."""

    ids: list[str]
    pixels: Vectors
    untrained: Vectors


def baselines(pictures: Iterable[tuple[str, bytes]], untrained_network: Embedder) -> Baselines:
    """Return both baselines for a stream of (image id, stored JPEG)."""
    ids: list[str] = []
    pixels: list[Vectors] = []
    untrained: list[Vectors] = []
    for batch in _batches(pictures):
        ids += [image for image, _ in batch]
        pixels.append(np.stack([pixel_vector(jpeg) for _, jpeg in batch]))
        untrained.append(untrained_network.embed([jpeg for _, jpeg in batch]))
    return Baselines(ids, np.concatenate(pixels), np.concatenate(untrained))


def pixel_vector(jpeg: bytes) -> Vectors:
    """Return the 32 × 32 RGB pixels as a vector, mean subtracted, of unit length (a plain picture gives zeros)."""
    flat = to_square(jpeg, PIXELS_SIDE).astype(np.float32).ravel()
    flat -= flat.mean()
    return flat / max(float(np.linalg.norm(flat)), 1e-6)


def _batches(pictures: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    stream = iter(pictures)
    while batch := list(islice(stream, _BATCH)):
        yield batch
