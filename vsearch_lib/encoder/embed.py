"""The one way to embed: batch jobs, evaluation and serving all call `embed`."""

from collections.abc import Sequence

import numpy as np
import torch

from vsearch_lib.encoder.network import Encoder
from vsearch_lib.encoder.pixels import to_square
from vsearch_lib.vectors import Vectors


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware; elsewhere it is slower than float32."""
    capability = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16"))


def in_channels_last(encoder: Encoder) -> Encoder:
    """Lay the weights out as processors convolve fastest."""
    return encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def prepare(encoder: Encoder) -> Encoder:
    """Make an encoder ready for inference."""
    return in_channels_last(encoder).eval()


def embed(encoder: Encoder, jpegs: Sequence[bytes], *, side: int) -> Vectors:
    """Return (len(jpegs), dimension) float32 unit vectors of stored pictures.

    Args:
        encoder: as `prepare` returns it.
        jpegs: RGB JPEGs as `image_pixels` stores them.
        side: the encoder's input size in pixels.

    Raises:
        ValueError: some bytes are not a JPEG.
    """
    if not jpegs:
        return np.empty((0, encoder.dimension), dtype=np.float32)
    images = torch.stack([to_square(jpeg, side) for jpeg in jpegs]).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bfloat16()):
        vectors = encoder(images)
    return np.asarray(vectors.float().numpy())
