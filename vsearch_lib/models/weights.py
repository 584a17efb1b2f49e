"""A network's weights: the initial ones, and those in the registry."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from vsearch_lib.encoder.network import Encoder, untrained
from vsearch_lib.encoder.packaged import packaged_file
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.models.registry import WEIGHTS, Card, Recipe, read_file, read_initial_weights
from vsearch_lib.storage import open_store

# ImageNet's 1,000 classes and one for the background: TensorFlow trained such networks, on pixels from -1 to 1.
_TENSORFLOW_CLASSES = 1001


def initial_encoder(recipe: Recipe, weights: str, *, seed: int) -> Encoder:
    """Return the encoder from which training, or the fit of a projection, starts.

    Args:
        recipe: the recipe of the model to be made.
        weights: the setting `model.weights`: "packaged", "hub", "none", or a safetensors file of the backbone.

    Raises:
        UsageError: there is no such backbone, or the weights are missing or do not fit it.
    """
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=seed, side=recipe.input_size)
    if weights == "packaged":
        _load_packaged(encoder, recipe.backbone)
    elif weights == "hub":
        _load_from_hub(encoder, recipe.backbone)
    elif weights != "none":
        _load_file(encoder, weights, recipe.backbone)
    return encoder


def _load_packaged(encoder: Encoder, backbone: str) -> None:
    """Load weights of the package, whose tensors have other names but the same order."""
    try:
        state = torch.load(packaged_file(backbone), weights_only=True)
    except Exception as error:  # torch raises errors of many kinds for a damaged file
        raise UsageError(f"model.weights = packaged: the package's file is damaged: {_line(error)}") from None
    own = encoder.backbone.state_dict()
    values = list(state.values())[: len(own)]  # the classifier comes last
    if len(values) < len(own) or any(a.shape != b.shape for a, b in zip(own.values(), values, strict=True)):
        raise UsageError(f"model.weights = packaged: the package does not hold weights of {backbone}")
    encoder.backbone.load_state_dict(dict(zip(own, values, strict=True)))


def _load_from_hub(encoder: Encoder, backbone: str) -> None:
    import timm
    from torchvision import models

    try:
        if timm.is_model(backbone):
            network = timm.create_model(backbone, pretrained=True, num_classes=0, **_sized(encoder, backbone))
            state: Mapping[str, Tensor] = network.state_dict()
        else:
            state = models.get_model_weights(backbone).DEFAULT.get_state_dict(progress=False, weights_only=True)
        _fit(encoder, state)
    except Exception as error:  # networks and hubs raise errors of many kinds
        raise UsageError(
            f"model.weights = hub: weights of {backbone} cannot be fetched ({_line(error)}); is the hub reachable? "
            "packaged needs no network, and a safetensors file can be given"
        ) from None


def _load_file(encoder: Encoder, weights: str, backbone: str) -> None:
    try:
        state = load(read_initial_weights(weights))
        _fit(encoder, state)
    except (SafetensorError, RuntimeError) as error:
        raise UsageError(
            f"model.weights = {weights}: these are not weights of model.backbone = {backbone} ({_line(error)})"
        ) from None
    if any(value.shape[:1] == (_TENSORFLOW_CLASSES,) for value in state.values()):
        encoder.set_preprocessing(replace(encoder.preprocessing, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)))


def _fit(encoder: Encoder, state: Mapping[str, Tensor]) -> None:
    """Load the backbone's part of `state`; a classifier, if any, is left out."""
    own = encoder.backbone.state_dict()
    encoder.backbone.load_state_dict({name: value for name, value in state.items() if name in own}, strict=True)


def _sized(encoder: Encoder, backbone: str) -> dict[str, Any]:
    import timm

    config = timm.get_pretrained_cfg(backbone)
    return {"img_size": encoder.preprocessing.side} if config and config.fixed_input_size else {}


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def serialise(encoder: Encoder) -> bytes:
    """Return the encoder's weights as safetensors bytes."""
    return bytes(save({name: value.contiguous() for name, value in encoder.state_dict().items()}))


def load_encoder(models_uri: str, card: Card) -> Encoder:
    """Return a registered network in evaluation mode.

    Raises:
        ArtefactError: its weights are missing, or differ from the card.
    """
    recipe = card.recipe
    encoder = Encoder(recipe.backbone, dimension=recipe.dimension, side=card.preprocessing.side)
    try:
        state = load(read_file(open_store(models_uri), card, WEIGHTS))
        if encoder.projection is not None and "projection.inner" in state:
            encoder.add_hidden_layer(len(state["projection.inner"]), seed=0)
        encoder.load_state_dict(state)
    except (SafetensorError, RuntimeError) as error:
        raise ArtefactError(f"{models_uri}/{card.version}: weights do not fit the card: {_line(error)}") from None
    encoder.set_preprocessing(card.preprocessing)
    return encoder.eval()
