"""Loading a registered model to embed with it."""

from dataclasses import dataclass

from vsearch_lib.encoder.activation import LocatingEmbedder, has_map
from vsearch_lib.encoder.embed import Embedder, Graph
from vsearch_lib.encoder.projection import Projection
from vsearch_lib.errors import ArtefactError
from vsearch_lib.models.registry import CARD, GRAPH, PROJECTION, WEIGHTS, Card, read_card, read_file
from vsearch_lib.storage import open_store


@dataclass(frozen=True)
class Model:
    """A model to embed with: its card, and its files, whose hashes were checked. Without a graph it runs on torch."""

    uri: str  # of the registry
    card: Card
    graph: Graph | None
    projection: Projection | None

    def embedder(self, *, batch_size: int, threads: int | None = None, device: str | None = None) -> Embedder:
        """Return the network ready to embed, on `device` (as torch names it) if one is given.

        Raises:
            ArtefactError: it runs on torch, which is not installed here; or its files do not fit its card.
        """
        if self.graph and not device:
            return Embedder(
                self.graph, self.card.preprocessing, self.projection, batch_size=batch_size, threads=threads
            )
        try:
            from vsearch_lib.models.torch_embed import TorchEmbedder
        except ImportError:
            raise ArtefactError(
                f"{self.uri}/{self.card.version} runs on torch, which is not installed here: give another "
                "model.backbone, or machines that have the project's .venv"
            ) from None
        return TorchEmbedder(self.uri, self.card, batch_size=batch_size, threads=threads, device=device or "cpu")

    def locating_embedder(self, *, threads: int | None = None) -> LocatingEmbedder | None:
        """Return the network ready to embed one picture at a time and to locate where its vector comes from.

        Returns:
            None if the network has no map of locations (`activation.has_map`), or runs on torch.
        """
        if self.graph is None or not has_map(self.graph):
            return None
        return LocatingEmbedder(self.graph, self.card.preprocessing, self.projection, batch_size=1, threads=threads)


def load_model(models_uri: str, version: str) -> Model:
    """Load a model to embed with it.

    Raises:
        ArtefactError: a file is missing, or the files or the length of their vectors differ from the card.
    """
    store = open_store(models_uri)
    card = read_card(store, version)
    files = {name: read_file(store, card, name) for name in _embedding_files(card)}
    graph = Graph(*(files[name] for name in GRAPH)) if GRAPH[0] in files else None
    projection = Projection.deserialise(files[PROJECTION]) if PROJECTION in files else None
    dimension = projection.dimension if projection else graph.width if graph else card.dimension
    if dimension != card.dimension:
        raise ArtefactError(
            f"{models_uri}/{version}: its card says vectors of {card.dimension} numbers, its files make {dimension}: "
            "restore both"
        )
    return Model(models_uri, card, graph, projection)


def check_unchanged(models_uri: str, card: Card) -> None:
    """Make sure that the model is still the one that was loaded.

    Raises:
        ArtefactError: the card, or a file needed to embed, has changed or is missing.
    """
    store = open_store(models_uri)
    if read_card(store, card.version) != card:
        raise ArtefactError(f"{models_uri}/{card.version}/{CARD} changed while this run was using it: restore it")
    for name in _embedding_files(card):
        read_file(store, card, name)


def _embedding_files(card: Card) -> list[str]:
    """Return the names of the files that are needed to embed."""
    files = [name for name in (*GRAPH, PROJECTION) if name in card.files]
    return files if GRAPH[0] in files else [WEIGHTS, *files]
