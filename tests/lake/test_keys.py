"""A write knows which rows it may touch before it reads the table."""

from vsearch_lib.lake import table_schema
from vsearch_lib.lake.keys import possible_matches, same_key

KEY = "model_version string, image_id string"
STORED = [("m1", "a"), ("m1", "c"), ("m1", "d"), ("m2", "c"), ("m1", "e")]


def test_rows_may_match_only_their_partitions_and_the_range_of_their_other_keys(spark):
    rows = spark.createDataFrame([("m1", "b"), ("m1", "d")], KEY)
    reach, count = possible_matches(table_schema("embeddings"), rows)
    reached = spark.createDataFrame(STORED, KEY).alias("old").where(reach).collect()
    assert {tuple(row) for row in reached} == {("m1", "c"), ("m1", "d")}
    assert count == 2


def test_without_rows_nothing_can_match(spark):
    reach, count = possible_matches(table_schema("embeddings"), spark.createDataFrame([], KEY))
    assert spark.createDataFrame(STORED, KEY).alias("old").where(reach).isEmpty()
    assert count == 0


def test_rows_with_the_same_key_agree_in_all_its_columns(spark):
    old, new = spark.createDataFrame(STORED, KEY).alias("old"), spark.createDataFrame([("m2", "c")], KEY).alias("new")
    joined = old.join(new, same_key(table_schema("embeddings")))
    assert [tuple(row) for row in joined.select("old.*").collect()] == [("m2", "c")]
