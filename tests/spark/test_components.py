"""The components of a graph are those that can be seen by hand; longer chains are tested with near-duplicates."""

from vsearch_lib.spark.components import components


def test_each_node_has_the_smallest_node_that_it_is_connected_with(spark):
    links = [("d", "b"), ("b", "c"), ("c", "d"), ("x", "y"), ("z", "y"), ("e", "e"), ("b", "d")]
    found = components(spark.createDataFrame(links, "node string, other string")).collect()
    assert {row["node"]: row["centre"] for row in found} == {
        **dict.fromkeys("bcd", "b"),
        **dict.fromkeys("xyz", "x"),
        "e": "e",
    }
    assert len(found) == 7
