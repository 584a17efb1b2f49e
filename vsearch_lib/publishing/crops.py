"""Queries for the gate: crops of indexed pictures, cut out of the originals as a person would do it."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import simplejpeg
from pyspark.sql import functions as F

from vsearch_lib.images.crop import Box, OutsidePicture, crop_jpeg
from vsearch_lib.images.decode import Limits, RefusedPicture
from vsearch_lib.lake import Lake
from vsearch_lib.lake.pictures import stored_jpegs
from vsearch_lib.storage import read_bytes

SHARES = (0.5, 0.8)  # of a picture's sides
_CROPS = pa.schema([("image_id", pa.string()), ("jpeg", pa.binary())])


@dataclass(frozen=True)
class Crops:
    """Crops in the form that is embedded.

    Attributes:
        image_ids: of the pictures that they are cut out of, ascending.
        jpegs: of the same pictures.
        from_stored: how many are cut out of the stored pixels, because the original has gone or has changed.
    """

    image_ids: list[str]
    jpegs: list[bytes]
    from_stored: int


def crops_of(lake: Lake, image_ids: Sequence[str], limits: Limits, *, seed: int) -> Crops:
    """Cut a crop out of each picture; there is none if its pixels are missing or the crop would be refused.

    The landing zone may be cleared after ingestion, and a file may be overwritten. Then the crop is cut out of the
    stored pixels, which show the same in less detail, so that the gate can still run.
    """
    images = lake.read("images").where(F.col("image_id").isin(list(image_ids)))
    originals = images.select("image_id", "source_uri", "sha256", "width", "height")
    tasks = lake.spark.sparkContext.defaultParallelism
    cut = originals.repartition(tasks).mapInArrow(_cutter(limits, seed), "image_id string, jpeg binary").collect()
    from_originals = {row["image_id"]: bytes(row["jpeg"]) for row in cut if row["jpeg"] is not None}
    from_stored = _cut_stored(lake, [row["image_id"] for row in cut if row["jpeg"] is None], limits, seed)
    crops = {**from_originals, **from_stored}
    return Crops(sorted(crops), [crops[image_id] for image_id in sorted(crops)], len(from_stored))


def box_of(image_id: str, sides: tuple[int, int], *, min_side: int, seed: int) -> Box:
    """Return the box that an image's id and `seed` choose in its picture of `sides` (width, height).

    It spans the same share of both sides, but at least `min_side` pixels if the picture has them.
    """
    rng = np.random.default_rng([seed, *hashlib.sha256(image_id.encode()).digest()])
    share, (left, top) = rng.uniform(*SHARES), rng.random(2)
    width, height = (min(side, max(min_side, round(share * side))) for side in sides)
    x, y = int(left * (sides[0] - width + 1)), int(top * (sides[1] - height + 1))
    return x, y, width, height


def _cutter(limits: Limits, seed: int) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def cut(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for row in batch.to_pylist():
                crop = {"image_id": row["image_id"], "jpeg": _cut_original(row, limits, seed)}
                yield pa.RecordBatch.from_pylist([crop], schema=_CROPS)

    return cut


def _cut_original(row: Mapping[str, Any], limits: Limits, seed: int) -> bytes | None:
    """Return a crop of the landed file, None if it cannot be read or is not the file that was ingested."""
    try:
        content = read_bytes(row["source_uri"])
        if hashlib.sha256(content).hexdigest() != row["sha256"]:
            return None
        box = box_of(row["image_id"], (row["width"], row["height"]), min_side=limits.min_side, seed=seed)
        return crop_jpeg(content, box, limits)
    except (OSError, RefusedPicture, OutsidePicture):
        return None


def _cut_stored(lake: Lake, image_ids: Sequence[str], limits: Limits, seed: int) -> dict[str, bytes]:
    crops = {}
    for image_id, jpeg in (stored_jpegs(lake, image_ids) if image_ids else {}).items():
        height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
        try:
            box = box_of(image_id, (width, height), min_side=limits.min_side, seed=seed)
            crops[image_id] = crop_jpeg(jpeg, box, limits)
        except RefusedPicture:
            continue
    return crops
