"""What one row says keeps a picture from others, whatever another row says: also a row that is refused."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from vsearch_lib.eligibility import FOR_EVERYBODY

# A refused row may have meant more than it says; of an accepted one the fold knows moderation and deletion.
_KEEPS = (
    f"coalesce(NOT {FOR_EVERYBODY.sql}, false) OR (reason IS NOT NULL AND "
    "(coalesce(moderation NOT IN ('ok', 'unreviewed'), false) OR coalesce(deleted, false)))"
)


def with_private_kept(statements: DataFrame) -> DataFrame:
    """Make accepted rows of `statements` private if another row keeps their file, or on their day their image, so."""
    row = F.concat_ws(":", "source", "line")
    of_image = Window.partitionBy(F.coalesce("image_id", row), "landed_on")
    of_file = Window.partitionBy(F.coalesce("source_uri", row))
    keeps = F.expr(_KEEPS)
    kept = F.expr("line > 0 AND reason IS NULL") & (F.max(keeps).over(of_image) | F.max(keeps).over(of_file))
    return statements.withColumn("visibility", F.when(kept, F.lit("private")).otherwise(F.col("visibility")))
