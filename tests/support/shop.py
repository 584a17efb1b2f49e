"""A small published shop: photos of six demo designs, with a lake, a model and an index; made without Spark."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tests.support import small_index
from tests.support.served_catalogue import Served, write_lake
from vsearch_lib.config import Settings
from vsearch_lib.demo.factors import Factors
from vsearch_lib.demo.picture import draw_two
from vsearch_lib.demo.studio import draw_one
from vsearch_lib.images.decode import normalise
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.serving.query import limits_of

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
    numbered = [(design, n) for design in DESIGNS for n in range(PHOTOS)]
    pictures = [draw_one((7, number, design)) for number, (design, _) in enumerate(numbered)]
    normalised = [normalise(content, limits_of(settings)) for content in pictures]
    jpegs = [picture.jpeg for picture in normalised]
    recipe = Recipe("tf_efficientnet_lite0", "packaged", None, None, "none")
    encoder = initial_encoder(recipe, "packaged", seed=1)
    register(settings.models.uri, encoder, version="m1", recipe=recipe, run_id="run-1")
    content = small_index.Catalogue(
        ids=[f"{design.shape}/{n}" for design, n in numbered],
        vectors=load_model(settings.models.uri, "m1").embedder(batch_size=4).embed(jpegs),
        visibility=["public"] * len(numbered),
        moderation=["ok"] * len(numbered),
        phash=[picture.phash for picture in normalised],
        facts=[_facts(design, n) for design, n in numbered],
    )
    served = Served(settings, content, pictures)
    write_lake(served, jpegs)
    served.publish("v1")


def _facts(design: Factors, n: int) -> dict[str, Any]:
    tags = [design.shape, design.pattern, design.palette, design.material]
    return {
        "owner_id": f"owner-{n}",
        "uploaded_at": FIRST_UPLOAD + timedelta(days=n),
        "tags": [*tags, MARKUP] if (design.shape, n) == ("lamp", 0) else tags,
        "source_uri": f"https://shop.example/{design.shape}-{n}.jpg",
    }
