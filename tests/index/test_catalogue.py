"""The rows of the tables are repartitioned by shard."""

from __future__ import annotations

import re

import pytest
from pyspark.sql import functions as F

from vsearch_lib.index.catalogue import living_rows, positions

SHARDS = 5


@pytest.fixture
def embedded(catalogue, draw):
    """A catalogue of twenty pictures that all have a vector."""
    catalogue.land({f"image-{seed:03d}": draw(seed) for seed in range(20)})
    images = catalogue.lake.read("images")
    rows = images.select("image_id", "sha256", F.lit("m1").alias("model_version"))
    catalogue.lake.upsert("embeddings", rows.withColumn("vector", F.array(F.lit(1.0).cast("float"))))
    return catalogue.lake


@pytest.fixture(params=["sorted and merged", "sent to all"])
def join_strategy(request, spark):
    """Spark sends a small table to all tasks, and sorts and merges large ones."""
    key = "spark.sql.autoBroadcastJoinThreshold"
    before = spark.conf.get(key)
    spark.conf.set(key, "-1" if request.param == "sorted and merged" else before)
    yield request.param
    spark.conf.set(key, before)


def test_each_shard_is_one_partition_however_the_tables_are_joined(embedded, join_strategy):
    rows = living_rows(embedded, "m1", positions(embedded), shards=SHARDS)
    placed = rows.select("image_id", "shard", F.spark_partition_id().alias("partition")).collect()
    assert len(placed) == 20
    assert {(row["shard"], row["partition"]) for row in placed} == {(shard, shard) for shard in range(SHARDS)}


@pytest.mark.parametrize("join_strategy", ["sorted and merged"], indirect=True)
def test_each_table_is_shuffled_once_and_sorted_once(embedded, join_strategy):
    rows = living_rows(embedded, "m1", positions(embedded), shards=SHARDS)
    plan = rows.sortWithinPartitions("partition_key", "image_id")._jdf.queryExecution().executedPlan().toString()
    assert len(re.findall(r"\bExchange ", plan)) == 2
    assert len(re.findall(r"\bSort ", plan)) == 2
