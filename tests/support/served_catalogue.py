"""A small published catalogue with its model, and its lake, written without Spark: what a search service opens."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake
from PIL import Image

from tests.support import small_index
from tests.support.small_model import small_graph
from vsearch_lib.artefact.manifest import ModelEntry
from vsearch_lib.artefact.pointer import read_pointer
from vsearch_lib.config import Settings, load_settings
from vsearch_lib.encoder.network import untrained
from vsearch_lib.images.decode import normalise
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe
from vsearch_lib.publishing.publication import publish
from vsearch_lib.serving.query import limits_of
from vsearch_lib.storage import open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SIDES = (128, 96)  # width and height of each picture


@dataclass(frozen=True)
class Served:
    """A catalogue whose picture i is `image-0000i`, owned by `owner-{i % 5}`; some are private, some blocked."""

    settings: Settings
    content: small_index.Catalogue
    pictures: list[bytes]

    def owner(self, i: int) -> str:
        """The owner of image i."""
        return f"owner-{i % 5}"

    def rows(self, *, visibility: str, moderation: str = "ok") -> list[int]:
        """The images of a visibility and a moderation."""
        states = zip(self.content.visibility, self.content.moderation, strict=True)
        return [i for i, state in enumerate(states) if state == (visibility, moderation)]

    def publish(self, version: str, rows: Sequence[int] | None = None) -> None:
        """Publish some of the images, or all, as a version."""
        content = self.content if rows is None else small_index.chosen(self.content, rows)
        uri = self.settings.index.uri
        built = small_index.build(uri, content, factory="IVF1,Flat", shards=2, version=version)
        store = open_store(uri)
        served = read_pointer(store)
        parent = served.version if served else None
        publish(store, replace(built, parent=parent, model=_model(self.settings)), now=NOW)


def catalogue(var: Path, count: int = 40, *overrides: str) -> Served:
    """Write model, lake and index below `var`."""
    settings = load_settings("demo", [f"var={var}", "serving.strangers_below=null", *overrides])
    pictures = [picture(i) for i in range(count)]
    jpegs = [normalise(content, limits_of(settings)).jpeg for content in pictures]
    encoder = untrained("small", dimension=16, seed=3, side=32)
    recipe = Recipe("small", "none", 16, 32, "full")
    graph = small_graph(seed=3, side=32)
    register(settings.models.uri, encoder, version="m1", recipe=recipe, run_id="run-1", graph=graph)
    content = small_index.Catalogue(
        [f"image-{i:05d}" for i in range(count)],
        load_model(settings.models.uri, "m1").embedder(batch_size=4).embed(jpegs),
        ["private" if i % 7 == 3 else "public" for i in range(count)],
        ["blocked" if i % 11 == 5 else "ok" for i in range(count)],
    )
    served = Served(settings, content, pictures)
    write_lake(served)
    served.publish("v1")
    return served


def write_lake(served: Served) -> None:
    """Write the columns of `images` and `image_pixels` that are read without Spark."""
    content, lake = served.content, served.settings.lake.uri
    jpegs = [normalise(picture, limits_of(served.settings)).jpeg for picture in served.pictures]
    sha256 = [hashlib.sha256(jpeg).hexdigest() for jpeg in jpegs]
    count = len(jpegs)
    widths, heights = zip(*(Image.open(io.BytesIO(content)).size for content in served.pictures), strict=True)
    images = {
        "image_id": content.ids,
        "sha256": sha256,
        "owner_id": [served.owner(i) for i in range(count)],
        "visibility": content.visibility,
        "moderation": content.moderation,
        "deleted_at": pa.nulls(count, pa.timestamp("us", "UTC")),
        "width": pa.array(widths, pa.int32()),
        "height": pa.array(heights, pa.int32()),
    }
    write_deltalake(f"{lake}/images", pa.table(images), mode="overwrite")
    write_deltalake(f"{lake}/image_pixels", pa.table({"sha256": sha256, "jpeg": list(jpegs)}), mode="overwrite")


def picture(seed: int, kind: str = "PNG") -> bytes:
    """Coloured blocks, others for every seed."""
    grain = np.random.default_rng(seed).integers(0, 256, (SIDES[1] // 16, SIDES[0] // 16, 3), dtype=np.uint8)
    sink = io.BytesIO()
    Image.fromarray(np.kron(grain, np.ones((16, 16, 1), dtype=np.uint8))).save(sink, kind)
    return sink.getvalue()


def _model(settings: Settings) -> ModelEntry:
    store = open_store(settings.models.uri)
    files = {key.split("/")[1]: hashlib.sha256(store.read(key)).hexdigest() for key in store.list("m1")}
    return ModelEntry("m1", settings.models.uri, files)
