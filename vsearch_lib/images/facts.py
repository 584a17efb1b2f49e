"""Statements about an image are folded fact by fact: for each fact, the statement that landed last is valid.

The result does not depend on the order in which landings are ingested, or on how often: each fact is stored with the
landing day of its statement (`said_on`), and an older day never overwrites a newer one. The fold runs within the commit
(`WHEN` and `ASSIGN` are SQL for `Lake.upsert`), so that two concurrent runs cannot lose each other's rows.
"""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.eligibility import FOR_EVERYBODY, NOT_BLOCKED
from vsearch_lib.images.files import FACTS
from vsearch_lib.lake.keys import same

# A fact → its columns in a statement.
_STATED: Mapping[str, tuple[str, ...]] = {
    "file": ("source_uri", *FACTS),
    "owner_id": ("owner_id",),
    "uploaded_at": ("uploaded_at",),
    "tags": ("tags",),
    "visibility": ("visibility",),
    "moderation": ("moderation",),
    "deleted": ("deleted",),
}
# A fact → SQL: it forbids that other users see the picture.
_HIDES = {
    "visibility": f"NOT {FOR_EVERYBODY.sql}",
    "moderation": f"NOT {NOT_BLOCKED.sql}",
    "deleted": "deleted",
}
# A fact → its columns in `images`.
_STORED = {**_STATED, "uploaded_at": ("uploaded_at", "upload_date"), "deleted": ("deleted_at",)}
_AWAITED = {fact: columns for fact, columns in _STATED.items() if fact != "file"}


def fold(statements: DataFrame) -> DataFrame:
    """Return one row per image: the columns of a statement, each fact as last stated, and `said_on`.

    `statements` are accepted rows of `landed_images` with the facts of their files. Within a landing day, statements
    are ordered by source and line; but a statement that hides the picture wins over all others of that day.
    """
    facts = []
    for fact, columns in _STATED.items():
        hides = f"{_HIDES[fact]}, " if fact in _HIDES else ""
        order = f"struct(landed_on, {hides}source, line)"
        if_stated = f"FILTER (WHERE {columns[0]} IS NOT NULL)"
        facts.append(F.expr(f"max_by({_struct(columns)}, {order}) {if_stated}").alias(f"_{fact}"))
        facts.append(F.expr(f"max(landed_on) {if_stated}").alias(f"_{fact}_on"))
    folded = statements.groupBy("image_id").agg(*facts)
    values = [F.col(f"_{fact}.{column}").alias(column) for fact, columns in _STATED.items() for column in columns]
    said_on = F.struct(*(F.col(f"_{fact}_on").alias(fact) for fact in _STATED)).alias("said_on")
    return folded.select("image_id", *values, said_on)


def to_images(folded: DataFrame) -> DataFrame:
    """Return folded statements as rows of `images`; by default an image is public, unreviewed and untagged."""
    return (
        folded.withColumn("upload_date", F.to_date("uploaded_at"))
        .withColumn("tags", F.coalesce("tags", F.array().cast("array<string>")))
        .withColumn("visibility", F.coalesce("visibility", F.lit("public")))
        .withColumn("moderation", F.coalesce("moderation", F.lit("unreviewed")))
        .withColumn("deleted_at", F.when(F.col("deleted"), F.col("said_on.deleted").cast("timestamp")))
    )


def _states(fact: str, *, later: bool) -> str:
    """SQL: the new row states `fact` on a later landing day than the stored row; or, unless `later`, the same day."""
    than = ">" if later else ">="
    stored = f"coalesce(old.said_on.{fact}, date'0001-01-01')"
    return f"coalesce(new.said_on.{fact} {than} {stored}, false)"


def _when(stored: Mapping[str, tuple[str, ...]], *, later: bool) -> str:
    changes = (
        f"({_states(fact, later=later)} AND NOT ({same(columns)} AND new.said_on.{fact} <=> old.said_on.{fact}))"
        for fact, columns in stored.items()
    )
    return " OR ".join(changes)


def _assign(stored: Mapping[str, tuple[str, ...]], *, later: bool) -> dict[str, str]:
    values = {
        column: f"CASE WHEN {_states(fact, later=later)} THEN new.`{column}` ELSE old.`{column}` END"
        for fact, columns in stored.items()
        for column in columns
    }
    latest = (f"'{fact}', greatest(old.said_on.{fact}, new.said_on.{fact})" for fact in _STATED)
    return {**values, "said_on": f"named_struct({', '.join(latest)})"}


def _struct(columns: tuple[str, ...]) -> str:
    return f"struct({', '.join(columns)})"


WHEN, ASSIGN = _when(_STORED, later=False), _assign(_STORED, later=False)
AWAITED_WHEN, AWAITED_ASSIGN = _when(_AWAITED, later=False), _assign(_AWAITED, later=False)
# An awaited change of the day on which the image itself landed was folded with it: it must not be applied again.
ARRIVED_WHEN, ARRIVED_ASSIGN = _when(_STORED, later=True), _assign(_STORED, later=True)
