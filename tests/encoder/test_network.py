"""The encoder maps pictures to unit vectors, the same ones for the same seed."""

from __future__ import annotations

import pytest
import torch

from vsearch_lib.encoder.network import untrained


def noise(n: int = 4, side: int = 64, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("dimension", "width"), [(16, 16), (128, 128), (None, 256)])
def test_vectors_have_unit_length_and_the_projections_dimension(dimension, width):
    encoder = untrained("small", dimension=dimension, seed=1).eval()
    with torch.inference_mode():
        vectors = encoder(noise())
    assert vectors.dtype == torch.float32
    assert vectors.shape == (4, width)
    assert encoder.dimension == width
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))


def test_the_seed_decides_the_weights():
    first, same, other = (untrained("small", dimension=16, seed=seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["projection.axes"], other["projection.axes"])


def test_making_an_encoder_does_not_change_the_callers_random_numbers():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    untrained("small", dimension=16, seed=5)
    assert torch.equal(torch.rand(2), expected)


def test_bytes_and_floats_of_the_same_picture_have_the_same_vector():
    encoder = untrained("small", dimension=16, seed=1).eval()
    with torch.inference_mode():
        torch.testing.assert_close(encoder(noise()), encoder(noise().float()))


def test_normalisation_is_not_part_of_the_stored_weights():
    assert {"mean", "std"}.isdisjoint(untrained("small", dimension=16, seed=1).state_dict())
