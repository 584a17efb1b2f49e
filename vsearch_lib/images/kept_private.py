"""A picture is private if any row about it says so, even a refused row, and whatever other rows say."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.eligibility import FOR_EVERYBODY

# A refused row hides the picture also by its moderation or deletion; the fold applies those of accepted rows.
_HIDES = (
    f"coalesce(NOT {FOR_EVERYBODY.sql}, false) OR (reason IS NOT NULL AND "
    "(coalesce(moderation NOT IN ('ok', 'unreviewed'), false) OR coalesce(deleted, false)))"
)


def make_private(statements: DataFrame) -> DataFrame:
    """Make accepted rows of `statements` private if any row hides their file, or on the same day their image."""
    row = F.concat_ws(":", "source", "line")
    of_image = Window.partitionBy(F.coalesce("image_id", row), "landed_on")
    of_file = Window.partitionBy(F.coalesce("source_uri", row))
    hides = F.expr(_HIDES)
    is_hidden = F.expr("line > 0 AND reason IS NULL") & (F.max(hides).over(of_image) | F.max(hides).over(of_file))
    return statements.withColumn("visibility", F.when(is_hidden, F.lit("private")).otherwise(F.col("visibility")))
