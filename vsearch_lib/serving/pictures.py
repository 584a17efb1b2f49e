"""Stored pixels of a few images that the viewer may see, read from the lake by delta-rs, which needs no Java."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from vsearch_lib.eligibility import visible_sql
from vsearch_lib.errors import ArtefactError
from vsearch_lib.storage import local_path

_CAUSE_CHARACTERS = 200  # of an error message of delta-rs: the rest is settings of its retries
_DECORATION = re.compile(r"\x1b\[\d+m|↳")


@dataclass(frozen=True)
class Picture:
    """The stored JPEG of an image, the hash of the landed file, and the sides of that upright picture in pixels."""

    sha256: str
    jpeg: bytes
    width: int
    height: int


def visible_pictures(lake_uri: str, image_ids: Sequence[str], *, viewer_id: str | None = None) -> dict[str, Picture]:
    """Return image id → picture of those of `image_ids` that are in the lake and that the viewer may see now.

    Everybody may see public images, and their owner also private ones; None is an anonymous viewer. delta-rs skips
    files and row groups by their statistics, and in the others reads only the pixels of wanted keys.

    Raises:
        ArtefactError: there is no lake, or it cannot be read.
    """
    from deltalake.exceptions import TableNotFoundError

    lake = _uri_for_delta_rs(lake_uri)
    seen = visible_sql(None if viewer_id is None else _quoted(viewer_id))
    try:
        columns = ("image_id", "sha256", "width", "height")
        images = _rows(f"{lake}/images", "image_id", image_ids, columns=columns, where=seen)
        wanted = sorted(set(images["sha256"]))
        pixels = _rows(f"{lake}/image_pixels", "sha256", wanted, columns=("sha256", "jpeg"))
    except TableNotFoundError:
        raise ArtefactError(f"there is no lake at {lake_uri}; set lake.uri to where it is") from None
    except Exception as error:  # delta-rs has no class of its own for errors while it reads rows
        cause = " ".join(_DECORATION.sub(" ", str(error)).split())[:_CAUSE_CHARACTERS]
        raise ArtefactError(f"the lake at {lake_uri} cannot be read: {cause}; check its files") from None
    jpegs = dict(zip(pixels["sha256"], pixels["jpeg"], strict=True))
    return {
        image_id: Picture(sha256, jpegs[sha256], width, height)
        for image_id, sha256, width, height in zip(*(images[column] for column in columns), strict=True)
        if sha256 in jpegs
    }


def public_jpegs(lake_uri: str, image_ids: Sequence[str]) -> dict[str, bytes]:
    """Return image id → stored JPEG of those of `image_ids` that everybody may see; raises as `visible_pictures`."""
    return {image_id: picture.jpeg for image_id, picture in visible_pictures(lake_uri, image_ids).items()}


def _rows(
    table_uri: str, key: str, wanted: Sequence[str], *, columns: Sequence[str], where: str = "TRUE"
) -> dict[str, list[Any]]:
    """Return the columns of the rows whose `key` is wanted and for which the SQL condition `where` holds."""
    from deltalake import DeltaTable, QueryBuilder

    if not wanted:
        return {column: [] for column in columns}
    stored = QueryBuilder().register("stored", DeltaTable(table_uri))
    values = ", ".join(map(_quoted, wanted))
    query = f"SELECT {', '.join(columns)} FROM stored WHERE {key} IN ({values}) AND ({where})"  # noqa: S608 - quoted above
    found = stored.execute(query).read_all()
    return {column: list(found[column].to_pylist()) for column in columns}


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _uri_for_delta_rs(lake_uri: str) -> str:
    path = local_path(lake_uri)
    uri = str(path) if path else lake_uri
    # delta-rs 1.6 opens a/b for the local path a\b, and decodes %41 once too often: it would read another folder.
    if unquote(uri) != uri or (path and "\\" in uri):
        raise ArtefactError(
            f"the lake at {lake_uri} cannot be read without Spark, because a name in its path has a backslash or a % "
            "with two digits; rename it"
        )
    if path:
        return uri
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{quote(rest)}"
