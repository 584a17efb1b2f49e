"""Random views keep to their shape and range, and follow their generator."""

from __future__ import annotations

import pytest
import torch

from vsearch_lib.training.augment import random_views


def pictures(n: int = 16, side: int = 40) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(9))


def views(seed: int, side: int = 32) -> torch.Tensor:
    return random_views(pictures(), side, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("side", [16, 32, 64])
def test_views_have_the_side_asked_for(side):
    found = views(1, side)
    assert found.shape == (16, 3, side, side)
    assert found.dtype == torch.float32


def test_views_stay_between_black_and_white():
    for seed in range(10):
        found = views(seed)
        assert torch.isfinite(found).all()
        assert found.min() >= 0
        assert found.max() <= 255


def test_the_generator_decides():
    assert torch.equal(views(1), views(1))
    assert not torch.equal(views(1), views(2))


def test_two_views_of_one_picture_differ():
    twins = pictures(1).expand(8, -1, -1, -1)
    found = random_views(twins, 32, torch.Generator().manual_seed(1)).flatten(1)
    distances = torch.cdist(found, found) + 1e6 * torch.eye(8)
    assert distances.min() > 100


def test_the_callers_random_numbers_and_pictures_are_left_alone():
    original = pictures()
    given = original.clone()
    torch.manual_seed(4)
    expected = torch.rand(2)
    torch.manual_seed(4)
    random_views(given, 32, torch.Generator().manual_seed(1))
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(given, original)


def test_a_view_still_shows_its_picture():
    """Of plainly coloured pictures every view is nearest to its own colour, most of the time."""
    colours = torch.tensor([[220, 30, 30], [30, 200, 30], [30, 30, 220], [220, 220, 40]], dtype=torch.uint8)
    plain = colours.repeat(16, 1).view(-1, 3, 1, 1).expand(-1, -1, 32, 32)
    found = random_views(plain, 32, torch.Generator().manual_seed(2))[:, :, 13:19, 13:19].mean(dim=(2, 3))
    nearest = torch.cdist(found, colours.float()).argmin(dim=1)
    assert (nearest == torch.arange(4).repeat(16)).float().mean() > 0.7
