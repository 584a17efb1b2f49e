"""Encode the same pictures with several encoders, reading them once."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

import numpy as np

from vsearch_lib.vectors import Vectors

Encode = Callable[[list[bytes]], Vectors]  # stored JPEGs → unit vectors (n, d)
_BATCH = 64


def encode_each(
    pictures: Iterable[tuple[str, bytes]], encoders: Mapping[str, Encode]
) -> tuple[list[str], dict[str, Vectors]]:
    """Return the ids of a stream of (image id, stored JPEG), and the vectors of each encoder in that order."""
    ids: list[str] = []
    vectors_of: dict[str, list[Vectors]] = {name: [] for name in encoders}
    stream = iter(pictures)
    while batch := list(islice(stream, _BATCH)):
        ids += [image for image, _ in batch]
        for name, encode in encoders.items():
            vectors_of[name].append(encode([jpeg for _, jpeg in batch]))
    return ids, {name: np.concatenate(vectors) for name, vectors in vectors_of.items()}
