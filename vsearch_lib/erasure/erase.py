"""Remove a user or an image from every table, and save a hash of its id, by which later landings are refused.

The report lists which data remains in the history of tables, in published indexes and in pages, and how to remove it.
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
from vsearch_lib.lake.training_snapshots import keep_training_snapshots
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.terminal import printable

Ids = Mapping[Named, Sequence[str]]


@dataclass(frozen=True)
class Erased:
    """The number of images that an erasure removed, and table → number of removed rows, if any."""

    images: int
    rows: Mapping[str, int]


def erase(lake: Lake, kind: Named, identifier: str) -> Erased:
    """Erase the user (and the images they own) or the image `identifier`; safe to run again after a failure.

    The hash that refuses later landings is written first, and the rows of `images` are deleted last: until then they
    name the pixels and files to delete.
    """
    owner = F.col("owner_id" if kind == "user" else "image_id") == identifier
    images = lake.read("images").where(owner).select("image_id", "sha256", "source_uri").collect()
    image_ids = [row["image_id"] for row in images] or ([identifier] if kind == "image" else [])
    ids: Ids = {"user": [identifier] if kind == "user" else [], "image": image_ids}
    _refuse_in_future(lake, ids)
    schemas = [table_schema(table) for table in table_names() if table != "images"]
    # Their files hold copies of pictures. What an unfinished snapshot holds is not known.
    names_any = F.bool_or(_names_any(table_schema("training_examples"), ids)).alias("names_any")
    snapshots = lake.read("training_examples").groupBy("snapshot").agg(names_any).where("NOT names_any")
    keep_training_snapshots(lake, [row["snapshot"] for row in snapshots.collect()])
    removed = {schema.table: lake.delete(schema.table, _names_any(schema, ids)) for schema in schemas if schema.naming}
    uris = [row["source_uri"] for row in images]
    mentions_erased = F.col("source").isin(uris)
    for name in (*ids["user"], *ids["image"]):
        mentions_erased = mentions_erased | F.contains("payload", F.lit(name))
    removed["quarantine"] += lake.delete("quarantine", mentions_erased)
    if images:
        hashes = _used_by_no_other(lake, [row["sha256"] for row in images], image_ids)
        erased_files = F.col("source_uri").isin(uris) | F.col("sha256").isin(hashes)
        removed["image_files"] = lake.delete("image_files", erased_files)
        remove_all_pending(lake)
        removed["near_duplicates"] = _remove_from_groups(lake, hashes)
        removed["image_pixels"] = lake.delete("image_pixels", F.col("sha256").isin(hashes))
        removed["images"] = lake.delete("images", F.col("image_id").isin(image_ids))
    return Erased(len(images), {table: rows for table, rows in removed.items() if rows})


def report(erased: Erased, settings: Settings) -> str:
    """Return the report: removed rows by table, and where data remains, and until when. It contains no ids."""
    total = sum(erased.rows.values())
    lines = [f"{rows:>8}  {table}" for table, rows in sorted(erased.rows.items())]
    lines.append(f"{total} rows removed from {len(erased.rows)} tables; removed images: {erased.images}")
    lines.append("data that lands again is refused as erased; files in the landing zone must be deleted by its owner")
    if total:
        hours = settings.maintenance.retention_hours
        lines += [
            f"older versions of the tables hold the data until maintain_tables runs, {hours} hours from now or later",
            f"{settings.index.uri} serves the data until the next nightly run publishes; files of older versions stay "
            "there until vsearch index gc deletes them",
            f"pages under {settings.reports.uri} still show the data: delete those made before today",
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
    names_any: Column = F.lit(False)
    for column, kind in schema.naming.items():
        names = list(ids[kind])
        if column.type.startswith("array"):
            names_any = names_any | F.arrays_overlap(column.name, F.array(*map(F.lit, names)).cast(column.type))
        else:
            names_any = names_any | F.col(column.name).isin(names)
    return names_any


def _used_by_no_other(lake: Lake, hashes: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Return the hashes of pixels that no other image has: another user may own a picture with the same bytes."""
    others = lake.read("images").where(F.col("sha256").isin(list(hashes)) & ~F.col("image_id").isin(list(ids)))
    return sorted(set(hashes) - {row["sha256"] for row in others.select("sha256").distinct().collect()})


def _remove_from_groups(lake: Lake, hashes: Sequence[str]) -> int:
    """Remove pictures from their near-duplicate groups: rename the groups, and delete those with one picture left."""
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
