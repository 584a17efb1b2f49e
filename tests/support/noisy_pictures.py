"""Fixtures of noisy pictures as `image_pixels` stores them, for tests of networks and of embedding."""

from collections.abc import Callable

import numpy as np
import pytest
import simplejpeg


@pytest.fixture(scope="session")
def jpeg() -> Callable[[np.ndarray], bytes]:
    """A function that encodes (height, width, 3) uint8 RGB as `image_pixels` stores it, colours at full resolution."""
    return lambda pixels: bytes(
        simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=95, colorspace="RGB", colorsubsampling="444")
    )


@pytest.fixture(scope="session")
def pictures(jpeg) -> list[bytes]:
    """Six noisy pictures of different shapes."""
    rng = np.random.default_rng(11)
    shapes = [(64, 64), (80, 64), (64, 100), (200, 130), (48, 48), (256, 300)]
    grain = (rng.integers(0, 256, (-(-h // 8), -(-w // 8), 3), dtype=np.uint8) for h, w in shapes)
    return [
        jpeg(np.kron(g, np.ones((8, 8, 1), dtype=np.uint8))[:h, :w]) for g, (h, w) in zip(grain, shapes, strict=True)
    ]
