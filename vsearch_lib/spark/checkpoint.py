"""Rows that are computed once, however often they are read."""

from pyspark.sql import DataFrame


def checkpointed(rows: DataFrame) -> DataFrame:
    """Compute `rows` now and return them as they came out, without their history.

    They lie with the executors; on a cluster, where those come and go, in the session's checkpoint folder.
    """
    on_a_cluster = rows.sparkSession.sparkContext.getCheckpointDir() is not None
    return rows.checkpoint() if on_a_cluster else rows.localCheckpoint()
