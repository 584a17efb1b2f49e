"""Registering a network as a model: its files are written first, and last the card, which makes it a model."""

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vsearch_lib.encoder.embed import Graph
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.errors import ArtefactError
from vsearch_lib.models.code_version import code_version
from vsearch_lib.models.registry import CARD, GRAPH, PROJECTION, WEIGHTS, Card, Recipe
from vsearch_lib.models.weights import serialise
from vsearch_lib.storage import open_store

_MIN_COSINE = 0.999  # between the features of OpenVINO and of torch, both in float32


class _FromPixels(nn.Module):
    """Maps decoded pixels to features; `Embedder` does the rest."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels: Tensor) -> Tensor:
        return self.encoder.features(pixels.permute(0, 3, 1, 2))


def to_graph(encoder: Encoder) -> Graph:
    """Return the backbone of `encoder` in the form that `Embedder` runs; this puts `encoder` into evaluation mode.

    Raises:
        ArtefactError: OpenVINO cannot run it, or computes other features than torch.
    """
    import openvino

    side, network = encoder.preprocessing.side, _FromPixels(encoder.eval())
    example = torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    with warnings.catch_warnings():
        # Torch's warnings about its tracer are for the authors of the converter.
        warnings.simplefilter("ignore")
        try:
            model = openvino.convert_model(network, example_input=example[:1], input=[-1, side, side, 3])
            compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            features = compiled(example.numpy())[0]
        except Exception as error:  # the converter raises errors of many kinds
            line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ArtefactError(f"OpenVINO cannot run it: {line[:200]}") from None
    with torch.inference_mode():
        expected = network(example).float().numpy()
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(expected, axis=1)
    cosine = float(((features * expected).sum(axis=1) / np.maximum(lengths, 1e-12)).min())
    if not cosine >= _MIN_COSINE:
        raise ArtefactError(f"OpenVINO computes other features than torch: cosine {cosine:.4f}")
    return Graph.of(model)


def register(
    models_uri: str,
    encoder: Encoder,
    *,
    version: str,
    recipe: Recipe,
    run_id: str,
    training_snapshot: str | None = None,
    training: Mapping[str, Any] | None = None,
    parent: str | None = None,
    graph: Graph | None = None,
    say: Callable[[str], None] = print,
) -> Card:
    """Write a model and return its card. If OpenVINO cannot run the backbone, it runs on torch, and `say` reports it.

    Args:
        parent: the version of the model in use, if there is one.
        graph: the graph of the same backbone, if there is one already.
    """
    store = open_store(models_uri)
    files = {WEIGHTS: serialise(encoder)}
    if encoder.projection is not None:
        files[PROJECTION] = encoder.projection.as_arrays().serialise()
    try:
        graph = graph or to_graph(encoder)
        files |= dict(zip(GRAPH, (graph.structure, graph.weights), strict=True))
    except ArtefactError as error:
        say(f"model {version} runs on torch, slower than others: {error}")
    for name, content in files.items():
        store.write_new(f"{version}/{name}", content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    card = Card(
        version=version,
        recipe=recipe,
        preprocessing=encoder.preprocessing,
        dimension=encoder.dimension,
        files=hashes,
        training_snapshot=training_snapshot,
        run_id=run_id,
        training=dict(training or {}),
        parent=parent,
        code_version=code_version(),
    )
    store.write_new(f"{version}/{CARD}", json.dumps(asdict(card), indent=2, sort_keys=True).encode())
    return card
