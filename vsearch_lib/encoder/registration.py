"""A trained network becomes a model of the registry: weights, graph, and last the card, without which it is none."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict

import torch
from torch import Tensor, nn

from vsearch_lib.encoder.embed import Graph
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.encoder.registry import CARD, GRAPH, WEIGHTS, Card, Recipe
from vsearch_lib.encoder.weights import serialise
from vsearch_lib.storage import open_store


class _FromPixels(nn.Module):
    """Takes pixels as they are decoded; where a vector starts to have unit length is `Embedder`'s to say."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels: Tensor) -> Tensor:
        return self.encoder.features(pixels.permute(0, 3, 1, 2))


def to_graph(encoder: Encoder, *, side: int) -> Graph:
    """Return `encoder`, put into evaluation mode, as `Embedder` runs it on squares of `side` pixels."""
    import openvino

    example = torch.zeros(1, side, side, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        # What torch says of its tracer is for those who wrote the converter.
        warnings.simplefilter("ignore")
        model = openvino.convert_model(_FromPixels(encoder.eval()), example_input=example, input=[-1, side, side, 3])
    return Graph.of(model)


def register(
    models_uri: str,
    encoder: Encoder,
    *,
    version: str,
    recipe: Recipe,
    run_id: str,
    training_snapshot: str | None = None,
    training: Mapping[str, float] | None = None,
) -> Card:
    """Write a model and return its card."""
    store = open_store(models_uri)
    graph = to_graph(encoder, side=recipe.input_size)
    files = {WEIGHTS: serialise(encoder), GRAPH[0]: graph.structure, GRAPH[1]: graph.weights}
    for name, content in files.items():
        store.write_new(f"{version}/{name}", content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    card = Card(version, recipe, encoder.dimension, hashes, training_snapshot, run_id, dict(training or {}))
    store.write_new(f"{version}/{CARD}", json.dumps(asdict(card), indent=2, sort_keys=True).encode())
    return card
