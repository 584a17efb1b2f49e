"""Random views of a picture, made for a whole batch at once.

The transformations of SimCLR (Chen et al. 2020, https://arxiv.org/abs/2002.05709): crop, flip, turn, colour; occlusion
by an erased box (Zhong et al. 2017, https://arxiv.org/abs/1708.04896); and surroundings from another picture of the
batch, so that the scene does not identify the picture (after Ryali et al. 2021, https://arxiv.org/abs/2103.12719, with
a disc in the middle instead of a saliency mask).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from vsearch_lib.embedding.views import (
    BRIGHTNESS,
    CONTRAST,
    ERASED_SHARE,
    ERASED_SIDES,
    GREY_SHARE,
    MAX_TURN_DEGREES,
    SATURATION,
    TINT,
)
from vsearch_lib.examples.boxes import Boxes

FOREIGN_SHARE = 0.7  # of the views get the surroundings of another picture
DISC_RADII = (0.35, 0.9)  # of the disc that the view keeps, in half sides of the view
RIM = 0.06  # softness of the disc's edge, in half sides


def random_views(pictures: Tensor, side: int, boxes: Boxes, strength: float, generator: torch.Generator) -> Tensor:
    """Return random views of a batch of pictures.

    Args:
        pictures: (n, 3, s, s) uint8.
        side: of a view, in pixels.
        boxes: what part of its picture a view of full strength shows.
        strength: 0–1, by which what changes a picture is multiplied; a view of strength 0 is the picture or its mirror
            image.
        generator: of the random numbers.

    Returns:
        (n, 3, side, side) float, 0–255.
    """
    views = _crop_and_turn(pictures.float(), side, boxes, strength, generator)
    views = _exchange_surroundings(views, strength, generator)
    return _erase(_recolour(views, strength, generator), strength, generator)


def _uniform(low: float, high: float, n: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator) * (high - low) + low


def _chosen_from(quantiles: Sequence[float], n: int, generator: torch.Generator) -> Tensor:
    """Return n values of the distribution that has these evenly spaced quantiles."""
    steps = torch.tensor(quantiles)
    place = torch.rand(n, generator=generator) * (len(steps) - 1)
    below = place.long()
    return torch.lerp(steps[below], steps[below + 1], place - below)


def _crop_and_turn(pictures: Tensor, side: int, boxes: Boxes, strength: float, generator: torch.Generator) -> Tensor:
    n = len(pictures)
    angle = _uniform(-MAX_TURN_DEGREES, MAX_TURN_DEGREES, n, generator) * (math.pi / 180) * strength
    scale = 1 - strength * (1 - _chosen_from(boxes.sides, n, generator))
    stretch = torch.exp(strength * _chosen_from(boxes.log_aspects, n, generator) / 2)
    flip = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    room = 1 - scale
    x, y = (_uniform(-1, 1, n, generator) * room for _ in range(2))
    cosine, sine = torch.cos(angle), torch.sin(angle)
    rows = [cosine * scale * stretch * flip, -sine * scale, x, sine * scale * flip, cosine * scale / stretch, y]
    grid = torch.nn.functional.affine_grid(torch.stack(rows, 1).view(n, 2, 3), [n, 3, side, side], align_corners=False)
    return torch.nn.functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def _exchange_surroundings(views: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    n, _, height, width = views.shape
    others = views[torch.randperm(n, generator=generator)]
    radius = _uniform(*DISC_RADII, n, generator).view(n, 1, 1, 1)
    radius = torch.where(torch.rand(n, 1, 1, 1, generator=generator) < _foreign_share(strength), radius, torch.inf)
    down, across = torch.linspace(-1, 1, height).view(-1, 1), torch.linspace(-1, 1, width).view(1, -1)
    kept = torch.sigmoid((radius - torch.sqrt(down**2 + across**2)) / RIM)
    return others + kept * (views - others)


def _foreign_share(strength: float) -> float:
    """Return how many views get foreign surroundings: none up to half of the full strength.

    A product that fills its picture becomes part of another product, which teaches a network with labels wrong.
    """
    return max(0.0, 2 * strength - 1) * FOREIGN_SHARE


def _recolour(views: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    n = len(views)

    def factor(spread: float, channels: int = 1) -> Tensor:
        return 1 + strength * _uniform(-spread, spread, n * channels, generator).view(n, channels, 1, 1)

    views = views * factor(BRIGHTNESS) * factor(TINT, 3)
    middle = views.mean(dim=(1, 2, 3), keepdim=True)
    views = middle + (views - middle) * factor(CONTRAST)
    grey = views.mean(dim=1, keepdim=True)
    keep = factor(SATURATION) * (torch.rand(n, generator=generator) >= strength * GREY_SHARE).float().view(n, 1, 1, 1)
    return (grey + (views - grey) * keep).clamp(0, 255)


def _erase(views: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    n, _, height, width = views.shape
    centre = torch.rand(n, 2, 1, generator=generator)
    half = torch.rand(n, 2, 1, generator=generator) * (ERASED_SIDES[1] - ERASED_SIDES[0]) / 2 + ERASED_SIDES[0] / 2
    chosen = torch.rand(n, generator=generator) < strength * ERASED_SHARE
    rows = (torch.arange(height).view(1, -1) / height - centre[:, 0]).abs() < half[:, 0]
    columns = (torch.arange(width).view(1, -1) / width - centre[:, 1]).abs() < half[:, 1]
    box = (rows.unsqueeze(2) & columns.unsqueeze(1)) & chosen.view(n, 1, 1)
    colour = torch.rand(n, 3, 1, 1, generator=generator) * 255
    return torch.where(box.unsqueeze(1), colour, views)
