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


def test_a_new_hidden_layer_changes_no_vector_and_a_trained_one_does():
    encoder = untrained("small", dimension=16, seed=1).eval()
    with torch.inference_mode():
        before = encoder(noise())
    encoder.add_hidden_layer(8, seed=1)
    with torch.inference_mode():
        assert torch.equal(encoder(noise()), before)
        encoder.projection.outer.add_(1)
        assert not torch.allclose(encoder(noise()), before)


def test_the_projection_of_torch_is_that_of_the_workers():
    encoder = untrained("small", dimension=16, seed=1)
    encoder.add_hidden_layer(8, seed=1)
    features = torch.nn.functional.normalize(torch.rand(50, 256, generator=torch.Generator().manual_seed(1)), dim=1)
    with torch.inference_mode():
        encoder.projection.mean.copy_(features.mean(dim=0))
        encoder.projection.outer.copy_(torch.rand(16, 8, generator=torch.Generator().manual_seed(2)))
        expected = encoder.projection(features)
    applied = torch.from_numpy(encoder.projection.as_arrays().apply(features.numpy()))
    torch.testing.assert_close(applied, expected, atol=1e-5, rtol=1e-4)


def test_the_seed_decides_the_weights_of_a_hidden_layer():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first, same, other = (untrained("small", dimension=16, seed=1) for _ in range(3))
    for encoder, seed in ((first, 5), (same, 5), (other, 6)):
        encoder.add_hidden_layer(8, seed=seed)
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(first.projection.inner, same.projection.inner)
    assert not torch.equal(first.projection.inner, other.projection.inner)
