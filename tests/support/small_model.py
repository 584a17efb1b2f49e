"""A small network from random weights: settings that make it quickly, and its graph, which is converted only once."""

from __future__ import annotations

from functools import cache

from vsearch_lib.encoder.embed import Graph
from vsearch_lib.encoder.network import untrained
from vsearch_lib.models.registration import to_graph

SMALL = ("model.backbone=small", "model.weights=none", "training.epochs=20")


@cache
def small_graph(*, seed: int = 1, side: int | None = None) -> Graph:
    """The graph of `untrained("small", dimension=…, seed=seed, side=side)`: converting a network takes seconds."""
    return to_graph(untrained("small", dimension=None, seed=seed, side=side))
