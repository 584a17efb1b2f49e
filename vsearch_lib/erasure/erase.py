"""Remove a user or an image from every table, and remember by a hash that what lands of them again is refused.

What the tables' history, published indexes and pages still hold is said in the report, with what removes it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.config import Settings
from vsearch_lib.lake import Lake, TableSchema, table_names, table_schema
from vsearch_lib.lake.pending import remove_all_pending
from vsearch_lib.lake.schema import Named
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.terminal import printable

Ids = Mapping[Named, Sequence[str]]


@dataclass(frozen=True)
class Erased:
    """What an erasure removed: the images that went with it, and rows by table, where there were any."""

    images: int
    rows: Mapping[str, int]


def erase(lake: Lake, kind: Named, identifier: str) -> Erased:
    """Erase the user (and the images they own) or the image `identifier`; safe to run again after a failure.

    The note that refuses what lands again is written first, the images' own rows go last: until then they say which
    pixels and vectors are theirs.
    """
    owner = F.col("owner_id" if kind == "user" else "image_id") == identifier
    images = lake.read("images").where(owner).select("image_id", "sha256", "source_uri").collect()
    image_ids = [row["image_id"] for row in images] or ([identifier] if kind == "image" else [])
    ids: Ids = {"user": [identifier] if kind == "user" else [], "image": image_ids}
    _refuse_in_future(lake, ids)
    schemas = [table_schema(table) for table in table_names() if table != "images"]
    removed = {schema.table: lake.delete(schema.table, _names_any(schema, ids)) for schema in schemas if schema.naming}
    uris = [row["source_uri"] for row in images]
    said = F.col("source").isin(uris)
    for name in (*ids["user"], *ids["image"]):
        said = said | F.contains("payload", F.lit(name))
    removed["quarantine"] += lake.delete("quarantine", said)
    if images:
        hashes = _used_by_no_other(lake, [row["sha256"] for row in images], image_ids)
        theirs = F.col("source_uri").isin(uris) | F.col("sha256").isin(hashes)
        removed["image_files"] = lake.delete("image_files", theirs)
        remove_all_pending(lake)
        removed["near_duplicates"] = _leave_groups(lake, hashes)
        removed["image_pixels"] = lake.delete("image_pixels", F.col("sha256").isin(hashes))
        removed["images"] = lake.delete("images", F.col("image_id").isin(image_ids))
    return Erased(len(images), {table: rows for table, rows in removed.items() if rows})


def report(erased: Erased, settings: Settings) -> str:
    """Return what was removed where, and what still holds it until when; it names nobody."""
    total = sum(erased.rows.values())
    lines = [f"{rows:>8}  {table}" for table, rows in sorted(erased.rows.items())]
    lines.append(f"{total} rows removed from {len(erased.rows)} tables; images that went: {erased.images}")
    lines.append("what lands of it again will be refused as erased; the landing zone itself is its owner's to clear")
    if total:
        hours = settings.maintenance.retention_hours
        lines += [
            f"older versions of the tables hold it until maintain_tables runs, {hours} hours from now at the earliest",
            f"{settings.index.uri} serves it until the next nightly run publishes; files of older versions stay there "
            "until vsearch index gc deletes them",
            f"pages under {settings.reports.uri} show what they showed: delete those made before today",
        ]
    return "\n".join(map(printable, lines))


def _refuse_in_future(lake: Lake, ids: Ids) -> None:
    now = datetime.now(UTC)
    hashed = {(kind, hashlib.sha256(name.encode()).hexdigest()) for kind, names in ids.items() for name in names}
    rows = [(kind, digest, lake.run_id, now) for kind, digest in sorted(hashed)]
    columns = "kind string, id_sha256 string, run string, erased_at timestamp"
    lake.insert_new("erasures", lake.spark.createDataFrame(rows, columns))


def _names_any(schema: TableSchema, ids: Ids) -> Column:
    """Return whether a row of the table names any of `ids`."""
    found: Column = F.lit(False)
    for column, kind in schema.naming.items():
        names = list(ids[kind])
        if column.type.startswith("array"):
            found = found | F.arrays_overlap(column.name, F.array(*map(F.lit, names)).cast(column.type))
        else:
            found = found | F.col(column.name).isin(names)
    return found


def _used_by_no_other(lake: Lake, hashes: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Return those of the pixels' hashes that no other image has: the same bytes may be another person's too."""
    others = lake.read("images").where(F.col("sha256").isin(list(hashes)) & ~F.col("image_id").isin(list(ids)))
    return sorted(set(hashes) - {row["sha256"] for row in others.select("sha256").distinct().collect()})


def _leave_groups(lake: Lake, hashes: Sequence[str]) -> int:
    """Take pictures out of their groups of near-duplicates; a group is named anew, one of a single picture ends."""
    groups = lake.read("near_duplicates")
    touched = groups.where(F.col("sha256").isin(list(hashes))).select("group_sha256").distinct()
    rest = groups.join(touched, "group_sha256", "left_semi").where(~F.col("sha256").isin(list(hashes)))
    group = Window.partitionBy("group_sha256")
    named: DataFrame = checkpointed(
        rest.select(
            "sha256", F.min("sha256").over(group).alias("group_sha256"), F.count("*").over(group).alias("members")
        )
    )
    alone = [row["sha256"] for row in named.where("members = 1").select("sha256").collect()]
    lake.upsert("near_duplicates", named.where("members > 1").drop("members"))
    return lake.delete("near_duplicates", F.col("sha256").isin([*hashes, *alone]))
