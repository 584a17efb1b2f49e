"""Random views have the stated shape and range, and depend only on their generator."""

from __future__ import annotations

import pytest
import torch

from vsearch_lib.examples.boxes import PRIOR, Boxes
from vsearch_lib.training.augment import _crop_and_turn, random_views


def pictures(n: int = 16, side: int = 40) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(9))


def views(seed: int, side: int = 32) -> torch.Tensor:
    return random_views(pictures(), side, PRIOR, 1, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("side", [16, 32, 64])
def test_views_have_the_requested_side(side):
    batch = views(1, side)
    assert batch.shape == (16, 3, side, side)
    assert batch.dtype == torch.float32


def test_views_stay_between_black_and_white():
    for seed in range(10):
        batch = views(seed)
        assert torch.isfinite(batch).all()
        assert batch.min() >= 0
        assert batch.max() <= 255


def test_views_depend_on_the_generator():
    assert torch.equal(views(1), views(1))
    assert not torch.equal(views(1), views(2))


def test_two_views_of_one_picture_differ():
    twins = pictures(1).expand(8, -1, -1, -1)
    batch = random_views(twins, 32, PRIOR, 1, torch.Generator().manual_seed(1)).flatten(1)
    distances = torch.cdist(batch, batch) + 1e6 * torch.eye(8)
    assert distances.min() > 100


def test_the_random_numbers_and_pictures_of_the_caller_do_not_change():
    original = pictures()
    passed = original.clone()
    torch.manual_seed(4)
    expected = torch.rand(2)
    torch.manual_seed(4)
    random_views(passed, 32, PRIOR, 1, torch.Generator().manual_seed(1))
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(passed, original)


def test_views_show_as_much_of_a_picture_as_the_boxes_of_users():
    """The rows of the picture get brighter downwards: a quarter of the rows has a quarter of the brightnesses."""
    ramp = torch.linspace(0, 255, 128).to(torch.uint8).view(1, 1, -1, 1).expand(64, 3, -1, 128)
    generator = torch.Generator().manual_seed(3)
    for side in (0.25, 0.5):
        views = _crop_and_turn(ramp.float(), 64, Boxes(1, (side,) * 21, (0.0,) * 21), 1, generator)
        # A turn of up to 30 degrees adds to the rows that a view shows.
        shown = (views.amax(dim=(1, 2, 3)) - views.amin(dim=(1, 2, 3))) / 255
        assert 0.9 * side < shown.min()
        assert shown.max() < 1.4 * side


def test_a_view_still_shows_its_picture():
    """Most views of pictures of one colour are nearest to the colour of their picture."""
    colours = torch.tensor([[220, 30, 30], [30, 200, 30], [30, 30, 220], [220, 220, 40]], dtype=torch.uint8)
    uniform = colours.repeat(16, 1).view(-1, 3, 1, 1).expand(-1, -1, 32, 32)
    middles = random_views(uniform, 32, PRIOR, 1, torch.Generator().manual_seed(2))[:, :, 13:19, 13:19].mean(dim=(2, 3))
    nearest = torch.cdist(middles, colours.float()).argmin(dim=1)
    assert (nearest == torch.arange(4).repeat(16)).float().mean() > 0.7


def test_a_view_of_no_strength_is_its_picture_or_the_mirror_image():
    batch = random_views(pictures(), 40, PRIOR, 0, torch.Generator().manual_seed(3))
    mirrored = [not torch.allclose(view, one.float(), atol=0.01) for view, one in zip(batch, pictures(), strict=True)]
    assert 0 < sum(mirrored) < 16
    for view, one in zip(batch[mirrored], pictures()[mirrored].float(), strict=True):
        assert torch.allclose(view, one.flip(-1), atol=0.01)


def test_weaker_views_are_nearer_to_their_pictures():
    def distance(strength: float) -> float:
        batch = random_views(pictures(64), 40, PRIOR, strength, torch.Generator().manual_seed(3))
        either = torch.stack([batch, batch.flip(-1)]) - pictures(64).float()
        return float(either.abs().mean(dim=(2, 3, 4)).amin(dim=0).mean())

    assert distance(0.1) < distance(0.4) < distance(1)
