"""Measures what a crop gains where a picture shows two objects, drawn by a person and as it is suggested.

    .venv/bin/python benchmarks/crops.py ../shared/data/clothing 60

Two kinds of pictures, so many of each: drawn scenes with two products, searched in 500 drawn pictures (right: pictures
of the same design); and two clothing photos of different labels side by side, from the test split, searched in the
train split (right: photos of the same label). The network is EfficientNet-Lite0 with its packaged weights, projected to
the principal axes of what is searched. recall@10 is the number of right ones among the first ten, divided by the number
that there could be. The wanted object is one of the two at random; its crop is its box, or its photo. For the suggested
crop, the wanted object is the one that the crop shows more of; without a suggestion the whole picture is searched with.
"""

import csv
import io
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from head import SETTINGS
from numpy.typing import NDArray
from PIL import Image

from vsearch_lib.demo.designs import assign_designs, design_pool
from vsearch_lib.demo.factors import from_codes
from vsearch_lib.demo.picture import Box, draw_two, photograph
from vsearch_lib.embedding.features import features_recipe
from vsearch_lib.encoder.activation import LocatingEmbedder
from vsearch_lib.encoder.embed import Embedder, Graph
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.encoder.projection import Projection, fit_pca
from vsearch_lib.images.crop import crop_jpeg
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.models.registration import to_graph
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.paired import paired_difference
from vsearch_lib.serving.look import suggested_crop
from vsearch_lib.vectors import Vectors

SEED = 23
DRAWN = 500
AT = 10
LEAST_PICTURES = 5  # of a design that is wanted
LIMITS = Limits(
    SETTINGS.image.max_bytes,
    SETTINGS.image.max_pixels,
    SETTINGS.image.min_side,
    SETTINGS.image.size,
    SETTINGS.image.max_aspect,
)
Labels = NDArray[np.str_] | NDArray[np.int64]


@dataclass(frozen=True)
class Two:
    """A picture of two objects: its file, and the label and the box of each."""

    file: bytes
    labels: tuple[object, object]
    boxes: tuple[Box, Box]


@dataclass(frozen=True)
class Catalogue:
    """What is searched: unit vectors (n, d) and their labels (n,)."""

    vectors: Vectors
    labels: Labels

    def recall(self, query: Vectors, label: object) -> float:
        """Return recall@10 of the pictures with a label."""
        best = np.argsort(-self.vectors @ query, kind="stable")[:AT]
        return float((self.labels[best] == label).sum() / min(AT, (self.labels == label).sum()))


class Network:
    """The frozen backbone, and the ways in which the measurements use it."""

    def __init__(self) -> None:
        encoder = initial_encoder(features_recipe(recipe_of(SETTINGS)), SETTINGS.model.weights, seed=1)
        self.graph: Graph = to_graph(encoder)
        self.preprocessing: Preprocessing = encoder.preprocessing
        self._batches = Embedder(self.graph, self.preprocessing, batch_size=4)

    def catalogue(self, files: Sequence[bytes], labels: Labels) -> tuple[Catalogue, Projection]:
        """Return the vectors of the files, projected to their principal axes."""
        parts = [
            self._batches.embed([normalise(file, LIMITS).jpeg for file in files[start : start + 64]])
            for start in range(0, len(files), 64)
        ]
        features = np.concatenate(parts)
        projection, _ = fit_pca(features, dimension=SETTINGS.model.dimension, seed=SEED)
        vectors = projection.apply(features)
        return Catalogue(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), labels), projection

    def locating(self, projection: Projection) -> LocatingEmbedder:
        """Return the network that serves."""
        return LocatingEmbedder(self.graph, self.preprocessing, projection, batch_size=1)


def drawn(network: Network, count: int) -> tuple[list[Two], Catalogue, LocatingEmbedder]:
    """Draw scenes with two products, and what is searched."""
    rng = np.random.default_rng(SEED)
    pool = design_pool(rng, images=DRAWN)
    designs = assign_designs(rng, designs=len(pool), images=DRAWN)
    catalogue, projection = network.catalogue(
        [photograph(from_codes(pool[design]), rng) for design in designs], designs
    )
    wanted = [design for design in range(len(pool)) if (designs == design).sum() >= LEAST_PICTURES]
    scenes = []
    for _ in range(count):
        labels = tuple(int(design) for design in rng.choice(wanted, 2, replace=False))
        picture, boxes = draw_two(*(from_codes(pool[label]) for label in labels), rng)
        scenes.append(Two(_jpeg(picture), (labels[0], labels[1]), boxes))
    return scenes, catalogue, network.locating(projection)


def composites(
    network: Network, clothing: Path, count: int, split: str
) -> tuple[list[Two], Catalogue, LocatingEmbedder]:
    """Put photos of a split side by side, and embed the train split, which is searched."""
    with (clothing / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    train = [row for row in rows if row["split"] == "train"]
    contents = [(clothing / row["file"]).read_bytes() for row in train]
    catalogue, projection = network.catalogue(contents, np.array([row["label"] for row in train]))
    rng, asked = np.random.default_rng(SEED), [row for row in rows if row["split"] == split]
    pairs: list[Two] = []
    while len(pairs) < count:
        left, right = (asked[i] for i in rng.choice(len(asked), 2, replace=False))
        if left["label"] != right["label"]:
            photos = [Image.open(clothing / row["file"]).convert("RGB") for row in (left, right)]
            pairs.append(_side_by_side(photos, (left["label"], right["label"])))
    return pairs, catalogue, network.locating(projection)


def _side_by_side(photos: Sequence[Image.Image], labels: tuple[str, str]) -> Two:
    height = max(photo.height for photo in photos)
    left, right = (photo.resize((round(photo.width * height / photo.height), height)) for photo in photos)
    both = Image.new("RGB", (left.width + right.width, height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return Two(_jpeg(both), labels, ((0, 0, left.width, height), (left.width, 0, right.width, height)))


def _jpeg(picture: Image.Image) -> bytes:
    sink = io.BytesIO()
    picture.save(sink, "JPEG", quality=90)
    return sink.getvalue()


def _shared(box: Box, other: Box) -> int:
    """Return the pixels that two boxes share."""
    sides = (min(box[i] + box[i + 2], other[i] + other[i + 2]) - max(box[i], other[i]) for i in (0, 1))
    across, down = (max(side, 0) for side in sides)
    return across * down


def measure(name: str, pictures: Sequence[Two], catalogue: Catalogue, embedder: LocatingEmbedder) -> list[str]:
    """Return the rows of the table, and print the times."""
    rng = np.random.default_rng(SEED)
    own: list[tuple[float, float]] = []
    suggested: list[tuple[float, float]] = []
    ideal: list[float] = []
    none, embedding, suggesting = 0, [], []
    for picture in pictures:
        whole = normalise(picture.file, LIMITS).jpeg
        began = time.perf_counter()
        seen = embedder.locate(whole)
        located = time.perf_counter()
        fractions = suggested_crop(embedder, whole, seen)
        embedding.append(located - began)
        suggesting.append(time.perf_counter() - located)

        def with_box(box: Box, label: object, file: bytes = picture.file) -> float:
            return catalogue.recall(embedder.embed([crop_jpeg(file, box, LIMITS)])[0], label)

        i = int(rng.integers(2))
        label = picture.labels[i]
        own.append((with_box(picture.boxes[i], label), catalogue.recall(seen.vector, label)))
        if fractions is None:
            none += 1
            suggested.append((own[-1][1], own[-1][1]))
            ideal.append(own[-1][0])
            continue
        width, height = Image.open(io.BytesIO(picture.file)).size
        x, y = int(fractions[0] * width), int(fractions[1] * height)
        box = x, y, min(round(fractions[2] * width), width - x), min(round(fractions[3] * height), height - y)
        shown = max((0, 1), key=lambda j: _shared(box, picture.boxes[j]))
        label = picture.labels[shown]
        suggested.append((with_box(box, label), catalogue.recall(seen.vector, label)))
        ideal.append(with_box(picture.boxes[shown], label))
    times = " and ".join(f"{1000 * np.median(seconds):.1f} ms" for seconds in (embedding, suggesting))
    print(f"{name}: median of embedding and of suggesting {times}; no suggestion for {none} of {len(pictures)}")
    return [
        _row(f"{name}, wanted: one of the two", own, "its crop", len(pictures)),
        _row(
            f"{name}, wanted: what the suggested crop shows", suggested, "suggested crop", len(pictures), np.mean(ideal)
        ),
    ]


def _row(name: str, pairs: Sequence[tuple[float, float]], with_what: str, n: int, own: float | None = None) -> str:
    cropped, whole = zip(*pairs, strict=True)
    gain = paired_difference(cropped, whole, seed=SEED)
    ideal = "" if own is None else f"; its own crop {own:.3f}"
    return (
        f"| {name} | {n} | {np.mean(whole):.3f} | {np.mean(cropped):.3f} ({with_what}{ideal}) | "
        f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}) |"
    )


def main(clothing: str, count: str = "200", split: str = "test") -> None:
    """Print the table."""
    network = Network()
    rows = measure("two products in a drawn scene", *drawn(network, int(count)))
    rows += measure("two clothing photos side by side", *composites(network, Path(clothing), int(count), split))
    print("\n| pictures | n | recall@10 without a crop | with | gain (95 % interval) |\n|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
