"""Stored pixels of a handful of public images, read from the lake by delta-rs: no Java starts for them."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote

from vsearch_lib.eligibility import PUBLIC
from vsearch_lib.errors import ArtefactError
from vsearch_lib.storage import local_path

_CAUSE_CHARACTERS = 200  # of what delta-rs says of a fault: the rest are settings of its retries
_DECORATION = re.compile(r"\x1b\[\d+m|↳")


def public_jpegs(lake_uri: str, image_ids: Sequence[str]) -> dict[str, bytes]:
    """Return image id → stored JPEG of those of `image_ids` that everybody may see now and the lake has.

    The statistics of files and row groups, and the key columns of those left, say which pages of pixels are read.

    Raises:
        ArtefactError: there is no lake, or it cannot be read.
    """
    from deltalake.exceptions import TableNotFoundError

    lake = _as_delta_rs_takes_it(lake_uri)
    try:
        images = _rows(f"{lake}/images", "image_id", image_ids, columns=("image_id", "sha256"), where=PUBLIC)
        sha256 = dict(zip(images["image_id"], images["sha256"], strict=True))
        pixels = _rows(f"{lake}/image_pixels", "sha256", sorted(set(sha256.values())), columns=("sha256", "jpeg"))
    except TableNotFoundError:
        raise ArtefactError(f"there is no lake at {lake_uri}; set lake.uri to where it is") from None
    except Exception as error:  # of what fails while rows are read, delta-rs makes no class of its own
        why = " ".join(_DECORATION.sub(" ", str(error)).split())[:_CAUSE_CHARACTERS]
        raise ArtefactError(f"the lake at {lake_uri} cannot be read: {why}; look after its files") from None
    jpegs = dict(zip(pixels["sha256"], pixels["jpeg"], strict=True))
    return {image_id: jpegs[key] for image_id, key in sha256.items() if key in jpegs}


def _rows(
    table_uri: str, key: str, wanted: Sequence[str], *, columns: Sequence[str], where: str = "TRUE"
) -> dict[str, list[Any]]:
    """Return the columns of the rows whose `key` is wanted and for which the SQL condition `where` holds."""
    from deltalake import DeltaTable, QueryBuilder

    if not wanted:
        return {column: [] for column in columns}
    stored = QueryBuilder().register("stored", DeltaTable(table_uri))
    values = ", ".join("'" + value.replace("'", "''") + "'" for value in wanted)
    query = f"SELECT {', '.join(columns)} FROM stored WHERE {key} IN ({values}) AND {where}"  # noqa: S608 - quoted above
    found = stored.execute(query).read_all()
    return {column: list(found[column].to_pylist()) for column in columns}


def _as_delta_rs_takes_it(lake_uri: str) -> str:
    path = local_path(lake_uri)
    place = str(path) if path else lake_uri
    # delta-rs 1.6 opens a/b for the local path a\b, and once too often decodes %41: it would read another folder.
    if unquote(place) != place or (path and "\\" in place):
        raise ArtefactError(
            f"the lake at {lake_uri} cannot be read without Spark, because a name in its path has a backslash or a % "
            "with two digits; move it to another name"
        )
    if path:
        return place
    scheme, _, rest = place.partition("://")
    return f"{scheme}://{quote(rest)}"
