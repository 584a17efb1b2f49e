"""Measuring an index method: build it over vectors, then ask the same queries at each setting of its search knob."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from time import perf_counter

import numpy as np

from vsearch_lib.tuning.measurement import Ask, Measured, Queries, measure
from vsearch_lib.vectors import RowIds, Vectors

SHORTLIST = 200  # rows that are re-scored exactly if a method's scores are those of codes
_STORED_BYTES = 2  # of a vector's component in vectors.f16, which re-scoring reads


@dataclass(frozen=True)
class Built:
    """An index over vectors: `search` takes queries, k and the knob's setting; `bytes` is its size as a file."""

    search: Callable[[Vectors, int, int], RowIds]
    bytes: int


@dataclass(frozen=True)
class Method:
    """A way to index unit vectors for inner product.

    Attributes:
        family: exact, LSH, tree, graph or clustering.
        name: the faiss factory string, or the library and its parameters.
        build: makes the index over vectors (n, d).
        knob, settings: the library's name of its search parameter, and the values to measure.
        compressed: the index stores codes instead of vectors, so re-scoring by the vectors changes its answers.
        library: the optional package that it needs, None if the project requires the package anyway.
    """

    family: str
    name: str
    build: Callable[[Vectors], Built]
    knob: str = ""
    settings: Sequence[int] = (0,)
    compressed: bool = False
    library: str | None = None

    @property
    def installed(self) -> bool:
        """Whether its library can be imported."""
        return self.library is None or find_spec(self.library) is not None


@dataclass(frozen=True)
class Trial:
    """A method at one setting: its recall and its costs.

    Attributes:
        rescored: the best `SHORTLIST` rows were re-scored by their vectors.
        index_bytes: of the index, for each vector.
        stored_bytes: of the vectors that re-scoring also reads, for each vector; the published index maps them.
    """

    method: Method
    setting: int
    rescored: bool
    measured: Measured
    index_bytes: float
    stored_bytes: int
    build_seconds: float

    @property
    def label(self) -> str:
        """The knob's setting, and whether answers were re-scored."""
        knob = [f"{self.method.knob} {self.setting}"] if self.method.knob else []
        return ", ".join([*knob, "re-scored"] if self.rescored else knob)


def run_trials(method: Method, vectors: Vectors, queries: Queries) -> list[Trial]:
    """Build an installed method over `vectors` (n, d), and measure each of its settings."""
    start = perf_counter()
    built = method.build(vectors)
    seconds = perf_counter() - start
    rows, dimension = vectors.shape
    variants = list(product(method.settings, (False, True) if method.compressed else (False,)))
    asks = [_ask_at(built, setting, vectors if rescored else None) for setting, rescored in variants]
    return [
        Trial(method, setting, rescored, measured, built.bytes / rows, _STORED_BYTES * dimension * rescored, seconds)
        for (setting, rescored), measured in zip(variants, measure(asks, queries), strict=True)
    ]


def _ask_at(built: Built, setting: int, vectors: Vectors | None) -> Ask:
    """Return a function that asks an index at a setting, and re-scores its answers if `vectors` are given."""

    def ask(queries: Vectors, k: int) -> RowIds:
        return built.search(queries, k, setting)

    return ask if vectors is None else _rescoring(ask, vectors)


def _rescoring(ask: Ask, vectors: Vectors) -> Ask:
    def rescored(queries: Vectors, k: int) -> RowIds:
        best = np.full((len(queries), k), -1, dtype=np.int64)
        for i, query in enumerate(queries):
            ids = ask(query[None], max(SHORTLIST, k))[0]
            ids = ids[ids >= 0]
            nearest = ids[np.argsort(-(vectors[ids] @ query), kind="stable")[:k]]
            best[i, : len(nearest)] = nearest
        return best

    return rescored
