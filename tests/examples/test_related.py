"""Groups belong together if any of their images do, in both directions."""

from vsearch_lib.examples.related import related_groups


def test_a_known_pair_relates_the_groups_of_its_images(spark):
    images = spark.createDataFrame(
        [("a", "g1"), ("a2", "g1"), ("b", "g2"), ("c", "g3")], "image_id string, group string"
    )
    pairs = "query_image_id string, image_id string"
    judged = spark.createDataFrame([("a", "b"), ("a2", "a"), ("a", "test image")], pairs)
    clicked = spark.createDataFrame([("b", "a2"), ("c", "b")], pairs)
    rows = related_groups([judged, clicked], images).collect()
    assert sorted(map(tuple, rows)) == [("g1", "g2"), ("g2", "g1"), ("g2", "g3"), ("g3", "g2")]
