"""A small published shop: photos of six demo designs, with a lake, a model and an index; made without Spark."""

import hashlib
import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from tests.support import small_index
from vsearch_lib.artefact.manifest import ModelEntry
from vsearch_lib.config import Settings
from vsearch_lib.demo.factors import Factors
from vsearch_lib.demo.picture import draw_two
from vsearch_lib.demo.studio import draw_one
from vsearch_lib.images.decode import Limits, Picture, normalise
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.publishing.publication import publish
from vsearch_lib.storage import open_store

DESIGNS = (
    Factors("mug", "stripes", "ocean", "glossy"),
    Factors("lamp", "plain", "mustard", "matte"),
    Factors("sneaker", "dots", "blush", "knit"),
    Factors("handbag", "checks", "forest", "matte"),
    Factors("armchair", "floral", "plum", "knit"),
    Factors("teapot", "zigzag", "terracotta", "glossy"),
)
PHOTOS = 5  # of each design
FIRST_UPLOAD = datetime(2026, 11, 1, tzinfo=UTC)
MARKUP = "<b>bold</b>"  # a tag, as anybody may write one


@dataclass(frozen=True)
class TwoObjects:
    """A photo of a lamp at the left and a handbag at the right; the handbag's box is in fractions of the photo."""

    jpeg: bytes
    handbag: tuple[float, float, float, float]


def scene() -> TwoObjects:
    """Draw a photo that is more like lamps, as a whole, than like handbags."""
    picture, (_, box) = draw_two(DESIGNS[1], DESIGNS[3], np.random.default_rng(7))
    sink = io.BytesIO()
    picture.save(sink, "JPEG", quality=90)
    (x, y, width, height), (across, down) = box, picture.size
    return TwoObjects(sink.getvalue(), (x / across, y / down, width / across, height / down))


def open_shop(settings: Settings) -> None:
    """Write the pictures, the model and the index of the shop to where the settings say, and publish it.

    Ids have a slash, as those of a folder of pictures do: `lamp/0` to `lamp/4`. Photo n was uploaded n days after
    FIRST_UPLOAD by `owner-n`, and has the tags of its design. `lamp/0` has a tag that is markup.
    """
    image = settings.image
    limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size)
    files = {
        f"{design.shape}/{n}": draw_one((7, PHOTOS * number + n, design))
        for number, design in enumerate(DESIGNS)
        for n in range(PHOTOS)
    }
    pictures = [normalise(content, limits) for content in files.values()]
    recipe = Recipe("tf_efficientnet_lite0", "packaged", None, None, "none")
    encoder = initial_encoder(recipe, "packaged", seed=1)
    register(settings.models.uri, encoder, version="m1", recipe=recipe, run_id="run-1")
    models = open_store(settings.models.uri)
    hashes = {key.split("/")[1]: hashlib.sha256(models.read(key)).hexdigest() for key in models.list("m1")}
    facts = [{**_facts(i), "phash": picture.phash} for i, picture in enumerate(pictures)]
    vectors = load_model(settings.models.uri, "m1").embedder(batch_size=4).embed([picture.jpeg for picture in pictures])
    rows = len(files)
    content = small_index.Catalogue(list(files), vectors, ["public"] * rows, ["ok"] * rows, facts)
    built = small_index.build(settings.index.uri, content, factory="IVF1,Flat", shards=2)
    model = ModelEntry("m1", settings.models.uri, hashes)
    publish(open_store(settings.index.uri), replace(built, model=model), now=FIRST_UPLOAD)
    _write_lake(settings.lake.uri, files, pictures, facts)


def _facts(row: int) -> dict[str, Any]:
    design, n = DESIGNS[row // PHOTOS], row % PHOTOS
    tags = [design.shape, design.pattern, design.palette, design.material]
    return {
        "owner_id": f"owner-{n}",
        "uploaded_at": FIRST_UPLOAD + timedelta(days=n),
        "tags": [*tags, MARKUP] if (design.shape, n) == ("lamp", 0) else tags,
        "source_uri": f"https://shop.example/{design.shape}-{n}.jpg",
    }


def _write_lake(uri: str, files: dict[str, bytes], pictures: list[Picture], facts: list[dict[str, Any]]) -> None:
    """Write what the service reads of the lake: who may see an image, and its pixels."""
    ids, hashes = list(files), [hashlib.sha256(content).hexdigest() for content in files.values()]
    never = pa.nulls(len(ids), pa.timestamp("us", "UTC"))
    images = {
        "image_id": ids,
        "sha256": hashes,
        "width": [picture.width for picture in pictures],
        "height": [picture.height for picture in pictures],
        "owner_id": [fact["owner_id"] for fact in facts],
        "visibility": ["public"] * len(ids),
        "moderation": ["ok"] * len(ids),
        "deleted_at": never,
    }
    write_deltalake(f"{uri}/images", pa.table(images))
    write_deltalake(f"{uri}/image_pixels", pa.table({"sha256": hashes, "jpeg": [picture.jpeg for picture in pictures]}))
