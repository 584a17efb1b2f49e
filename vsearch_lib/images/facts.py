"""What is said of an image, folded fact by fact: for each the statement that landed last holds.

The fold gives the same whatever the order or repetition in which landings are taken in: each fact carries the landing
day that said so (`said_on`), and an older day never overwrites a newer one. It runs within the commit (`WHEN`,
`ASSIGN` are SQL for `Lake.upsert`), so that two runs at once cannot lose what the other wrote.
"""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.eligibility import FOR_EVERYBODY, NOT_BLOCKED
from vsearch_lib.images.files import FACTS
from vsearch_lib.lake.tables import same

# A fact → its columns in a statement.
_SAID: Mapping[str, tuple[str, ...]] = {
    "file": ("source_uri", *FACTS),
    "owner_id": ("owner_id",),
    "uploaded_at": ("uploaded_at",),
    "tags": ("tags",),
    "visibility": ("visibility",),
    "moderation": ("moderation",),
    "deleted": ("deleted",),
}
# A fact → SQL: it says that others must not see the picture.
_KEPT_FROM_OTHERS = {
    "visibility": f"NOT {FOR_EVERYBODY.sql}",
    "moderation": f"NOT {NOT_BLOCKED.sql}",
    "deleted": "deleted",
}
# A fact → its columns in `images`.
_STORED = {**_SAID, "uploaded_at": ("uploaded_at", "upload_date"), "deleted": ("deleted_at",)}
_AWAITED = {fact: columns for fact, columns in _SAID.items() if fact != "file"}


def fold(statements: DataFrame) -> DataFrame:
    """Return a row an image: the columns of a statement, each fact as said last, and `said_on`.

    `statements` are accepted rows of `landed_images` with the facts of their files. Within a landing day the order is
    that of source and line; but what keeps a picture from others holds whatever else is said on its day.
    """
    facts = []
    for fact, columns in _SAID.items():
        kept_from_others = f"{_KEPT_FROM_OTHERS[fact]}, " if fact in _KEPT_FROM_OTHERS else ""
        order = f"struct(landed_on, {kept_from_others}source, line)"
        said = f"FILTER (WHERE {columns[0]} IS NOT NULL)"
        facts.append(F.expr(f"max_by({_struct(columns)}, {order}) {said}").alias(f"_{fact}"))
        facts.append(F.expr(f"max(landed_on) {said}").alias(f"_{fact}_on"))
    folded = statements.groupBy("image_id").agg(*facts)
    values = [F.col(f"_{fact}.{column}").alias(column) for fact, columns in _SAID.items() for column in columns]
    said_on = F.struct(*(F.col(f"_{fact}_on").alias(fact) for fact in _SAID)).alias("said_on")
    return folded.select("image_id", *values, said_on)


def to_images(folded: DataFrame) -> DataFrame:
    """Return folded statements as rows of `images`; what nobody said of an image is public, unreviewed, untagged."""
    return (
        folded.withColumn("upload_date", F.to_date("uploaded_at"))
        .withColumn("tags", F.coalesce("tags", F.array().cast("array<string>")))
        .withColumn("visibility", F.coalesce("visibility", F.lit("public")))
        .withColumn("moderation", F.coalesce("moderation", F.lit("unreviewed")))
        .withColumn("deleted_at", F.when(F.col("deleted"), F.col("said_on.deleted").cast("timestamp")))
    )


def _says(fact: str, *, later: bool) -> str:
    """SQL: the new row says `fact`, on a landing day after the stored one's, or where not `later` on the same."""
    than = ">" if later else ">="
    stored = f"coalesce(old.said_on.{fact}, date'0001-01-01')"
    return f"coalesce(new.said_on.{fact} {than} {stored}, false)"


def _when(stored: Mapping[str, tuple[str, ...]], *, later: bool) -> str:
    moves = (
        f"({_says(fact, later=later)} AND NOT ({same(columns)} AND new.said_on.{fact} <=> old.said_on.{fact}))"
        for fact, columns in stored.items()
    )
    return " OR ".join(moves)


def _assign(stored: Mapping[str, tuple[str, ...]], *, later: bool) -> dict[str, str]:
    values = {
        column: f"CASE WHEN {_says(fact, later=later)} THEN new.`{column}` ELSE old.`{column}` END"
        for fact, columns in stored.items()
        for column in columns
    }
    latest = (f"'{fact}', greatest(old.said_on.{fact}, new.said_on.{fact})" for fact in _SAID)
    return {**values, "said_on": f"named_struct({', '.join(latest)})"}


def _struct(columns: tuple[str, ...]) -> str:
    return f"struct({', '.join(columns)})"


WHEN, ASSIGN = _when(_STORED, later=False), _assign(_STORED, later=False)
AWAITED_WHEN, AWAITED_ASSIGN = _when(_AWAITED, later=False), _assign(_AWAITED, later=False)
# A change that was awaited and lies on the day of the image's own landing was folded with it: it must not come again.
ARRIVED_WHEN, ARRIVED_ASSIGN = _when(_STORED, later=True), _assign(_STORED, later=True)
