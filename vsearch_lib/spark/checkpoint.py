"""Rows that are computed once, however often they are read."""

from pyspark.sql import DataFrame


def checkpointed(rows: DataFrame) -> DataFrame:
    """Compute `rows` now and return the result, without the plan that led to it.

    The executors hold the rows; on a cluster, where executors come and go, the session's checkpoint folder does.
    """
    on_a_cluster = rows.sparkSession.sparkContext.getCheckpointDir() is not None
    return rows.checkpoint() if on_a_cluster else rows.localCheckpoint()
