"""Backbones: networks from normalised RGB to pooled features."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision import models

from vsearch_lib.config.settings import Backbone

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CENTRED = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True)
class Features:
    """A backbone: `network` maps (n, 3, s, s) normalised by `mean` and `std` (on 0–1) to (n, width) pooled features."""

    network: nn.Module
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


def build(backbone: Backbone) -> Features:
    """Return `backbone` with random weights."""
    if backbone == "small":
        network = SmallConvNet()
        return Features(network, network.width, *_CENTRED)
    if backbone == "mobilenet_v2":
        mobilenet = models.mobilenet_v2(num_classes=1001)
        mobilenet.classifier = nn.Identity()
        return Features(mobilenet, 1280, *_CENTRED)
    resnet = models.resnet18() if backbone == "resnet18" else models.resnet50()
    width = resnet.fc.in_features
    resnet.fc = nn.Identity()
    return Features(resnet, width, *_IMAGENET)


class SmallConvNet(nn.Module):
    """A stem and three strided residual stages, 1.9 M parameters: trains on a laptop's processor in a minute."""

    width = 256

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_convolution(3, 32, stride=2), _convolution(32, 32))
        self.stages = nn.Sequential(_Stage(32, 64), _Stage(64, 128), _Stage(128, 256))

    def forward(self, images: Tensor) -> Tensor:
        """Return (n, 256) features of (n, 3, s, s) images."""
        return torch.mean(self.stages(self.stem(images)), dim=(2, 3))


class _Stage(nn.Module):
    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.down = _convolution(narrow, wide, stride=2)
        self.residual = nn.Sequential(
            _convolution(wide, wide), nn.Conv2d(wide, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide)
        )

    def forward(self, images: Tensor) -> Tensor:
        halved = self.down(images)
        return nn.functional.relu(halved + self.residual(halved))


def _convolution(narrow: int, wide: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(narrow, wide, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU(inplace=True)
    )
