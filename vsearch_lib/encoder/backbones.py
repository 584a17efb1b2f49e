"""Backbones by name, networks from normalised RGB to features: those of timm, of torchvision, and a small one."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.errors import UsageError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import timm
    from torchvision import models as torchvision_models

SMALL = "small"
_SMALL_SIDE = 64  # pixels
_TORCHVISION_SIDE = 224
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CENTRED = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True)
class Features:
    """A backbone: `network` maps preprocessed (n, 3, side, side) to pooled features (n, width)."""

    network: nn.Module
    width: int
    preprocessing: Preprocessing


def check_name(backbone: str) -> None:
    """Make sure that a backbone of this name exists.

    Raises:
        UsageError: it does not exist; the message names similar ones.
    """
    if backbone == SMALL or backbone in _torchvision_names():
        return
    if timm.is_model(backbone):
        try:
            timm.get_pretrained_cfg(backbone)
        except RuntimeError as error:
            raise UsageError(f"model.backbone = {backbone}: {str(error).splitlines()[0]}") from None
        return
    known = sorted({SMALL, *timm.list_models(), *_torchvision_names()})
    similar = get_close_matches(backbone, known, n=5, cutoff=0.5) or ["tf_efficientnet_lite0", "resnet50", SMALL]
    raise UsageError(
        f"model.backbone = {backbone}: no such backbone; similar: {', '.join(similar)} (all: timm.list_models(), "
        "torchvision.models.list_models())"
    )


def build(backbone: str, *, side: int | None = None) -> Features:
    """Return `backbone` with random weights, for squares of `side` pixels, or of its own size if `side` is None.

    If timm and torchvision both have a network of that name, timm's is returned.

    Raises:
        UsageError: there is no such backbone, or it does not take squares of that size.
    """
    check_name(backbone)
    if backbone == SMALL:
        network: nn.Module = SmallConvNet()
        preprocessing = Preprocessing(side or _SMALL_SIDE, *_CENTRED)
    elif timm.is_model(backbone):
        network, preprocessing = _from_timm(backbone, side)
    else:
        network = _without_classifier(torchvision_models.get_model(backbone, weights=None), backbone)
        preprocessing = Preprocessing(side or _TORCHVISION_SIDE, *_IMAGENET)
    return Features(network, _width(network, backbone, preprocessing.side), preprocessing)


def _from_timm(backbone: str, side: int | None) -> tuple[nn.Module, Preprocessing]:
    config = timm.get_pretrained_cfg(backbone)
    default_side = int(config.input_size[-1]) if config else _TORCHVISION_SIDE
    mean, std = (config.mean, config.std) if config else _IMAGENET
    # Transformers are made for one size; convolutional networks take any size and have no such argument.
    sized: dict[str, Any] = {"img_size": side} if side and config and config.fixed_input_size else {}
    network = timm.create_model(backbone, pretrained=False, num_classes=0, **sized)
    return network, Preprocessing(side or default_side, _three(mean), _three(std))


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = values
    return red, green, blue


def _torchvision_names() -> list[str]:
    return list(torchvision_models.list_models(module=torchvision_models))


def _without_classifier(network: nn.Module, backbone: str) -> nn.Module:
    """Replace the last linear layer, which classifies, by the identity, so that the network returns its input."""
    linear = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise UsageError(f"model.backbone = {backbone}: its classifier is not a linear layer; give another backbone")
    parent, _, name = linear[-1].rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Identity())
    return network


def _width(network: nn.Module, backbone: str, side: int) -> int:
    """Return the number of features, by running the network: libraries do not state it in one way for all networks."""
    try:
        with torch.inference_mode():
            features = network.eval()(torch.zeros(1, 3, side, side))
    except (RuntimeError, AssertionError, ValueError) as error:
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"model.backbone = {backbone} does not take squares of {side} pixels: {line}") from None
    if not isinstance(features, Tensor) or features.ndim != 2:
        raise UsageError(f"model.backbone = {backbone} does not return one vector for each picture; give another")
    return int(features.shape[1])


class SmallConvNet(nn.Module):
    """A stem and three strided residual stages, 1.9 M parameters; it trains on a laptop's processor in a minute."""

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
