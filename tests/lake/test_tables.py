"""Writes are idempotent, carry the id of their run, and are refused if a row is wrong, whoever writes it."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from pyspark.errors import AnalysisException
from pyspark.testing import assertDataFrameEqual

from vsearch_lib.lake import Lake, table_schema

SCORES = "query_image_id string, image_id string, annotator string, score int, landed_on date"
DAY = date(2024, 5, 6)
Row = tuple[str, str, str, int, date]


def scores(spark, *rows: tuple[str, int]):
    """Judgements of one query by one annotator: image → score."""
    return spark.createDataFrame([("q", image, "ann", score, DAY) for image, score in rows], SCORES)


@dataclass
class History:
    """The rows and the version of a table after each step of a story."""

    lake: Lake
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    version: dict[str, int | None] = field(default_factory=dict)

    def note(self, step: str) -> None:
        rows = self.lake.read("judgements").collect()
        assert len(rows) == len({row["image_id"] for row in rows})
        self.rows[step] = {row["image_id"]: row["score"] for row in rows}
        self.version[step] = self.lake.version("judgements")


@pytest.fixture(scope="module")
def history(spark, tmp_path_factory) -> History:
    uri = str(tmp_path_factory.mktemp("lake"))
    story = History(Lake(spark, uri, "run-1"))
    story.note("before")
    story.lake.upsert("judgements", scores(spark))
    story.version["nothing written"] = story.lake.version("judgements")
    story.lake.upsert("judgements", scores(spark, ("a", 1), ("b", 2)))
    story.note("first")
    story.lake.upsert("judgements", scores(spark, ("b", 2), ("a", 1)))
    story.note("again")
    story.lake = Lake(spark, uri, "run-2")
    story.lake.upsert("judgements", scores(spark, ("b", 5), ("c", 3)))
    story.note("changed")
    story.lake = Lake(spark, uri, "run-3")
    story.lake.insert_new("judgements", scores(spark, ("c", 0), ("d", 4)))
    story.note("inserted")
    story.lake.insert_new("judgements", scores(spark, ("d", 0)))
    story.note("inserted again")
    story.lake = Lake(spark, uri, "run-4")
    story.lake.delete_keys("judgements", scores(spark, ("a", 0), ("z", 0)).drop("score"))
    story.note("deleted")
    story.lake.delete_keys("judgements", scores(spark, ("a", 0), ("bb", 0)).drop("score"))
    story.note("deleted again")
    story.lake.upsert("judgements", scores(spark, ("bb", 1)))
    story.note("only new keys")
    return story


def test_a_table_not_written_yet_reads_as_empty_with_its_columns(lake):
    for table in ("images", "embeddings", "training_examples"):
        frame = lake.read(table)
        assert [(f.name, f.dataType) for f in frame.schema] == [
            (f.name, f.dataType) for f in table_schema(table).struct
        ]
        assert frame.isEmpty()


def test_a_table_not_written_yet_has_no_version(lake):
    assert lake.version("images") is None
    assert not lake.exists("images")


def test_an_upsert_of_no_rows_creates_no_table(history):
    assert history.version["nothing written"] is None


def test_an_upsert_inserts_new_keys(history):
    assert history.rows["first"] == {"a": 1, "b": 2}


def test_an_upsert_of_the_stored_rows_makes_no_version(history):
    assert history.rows["again"] == history.rows["first"]
    assert history.version["again"] == history.version["first"]


def test_an_upsert_updates_only_the_rows_that_differ(history):
    assert history.rows["changed"] == {"a": 1, "b": 5, "c": 3}
    assert history.version["changed"] == history.version["again"] + 1


def test_insert_new_keeps_the_row_that_came_first(history):
    assert history.rows["inserted"] == {"a": 1, "b": 5, "c": 3, "d": 4}


def test_insert_new_of_known_keys_makes_no_version(history):
    assert history.rows["inserted again"] == history.rows["inserted"]
    assert history.version["inserted again"] == history.version["inserted"]


def test_delete_keys_deletes_the_named_keys_and_no_other(history):
    assert history.rows["deleted"] == {"b": 5, "c": 3, "d": 4}


def test_a_deletion_of_missing_keys_makes_no_version(history, lake, spark):
    assert history.version["deleted again"] == history.version["deleted"]
    assert lake.delete_keys("judgements", scores(spark, ("a", 0)).drop("score")) == 0
    assert lake.version("judgements") is None


def test_an_upsert_of_new_keys_only_inserts(spark, history):
    assert history.rows["only new keys"] == {"b": 5, "bb": 1, "c": 3, "d": 4}
    log = spark.sql(f"DESCRIBE HISTORY delta.`{history.lake.path('judgements')}`").collect()
    updates = {row["version"]: row["operationParameters"].get("matchedPredicates") != "[]" for row in log}
    assert not updates[history.version["only new keys"]]
    assert updates[history.version["changed"]]


def test_every_commit_carries_the_id_of_its_run(spark, history):
    log = spark.sql(f"DESCRIBE HISTORY delta.`{history.lake.path('judgements')}`").collect()
    runs = {row["version"]: row["userMetadata"] for row in log}
    assert None not in runs.values()
    assert runs[history.version["first"]] == "run-1"
    assert runs[history.version["changed"]] == "run-2"
    assert runs[history.version["inserted"]] == "run-3"
    assert runs[history.version["deleted"]] == "run-4"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (("q", "x", "ann", 6, DAY), "score_in_range"),
        (("q", "x", None, 3, DAY), "(?i)not.null"),
    ],
)
def test_a_write_of_a_wrong_row_fails_even_without_the_lake(spark, history, row, complaint):
    wrong = spark.createDataFrame([row], SCORES)
    before = history.lake.version("judgements")
    with pytest.raises(Exception, match=complaint):
        wrong.write.format("delta").mode("append").save(history.lake.path("judgements"))
    assert history.lake.version("judgements") == before


def test_columns_are_matched_by_name_and_unknown_ones_are_dropped(spark, lake):
    rows = spark.sql(
        "SELECT 4L AS score, 'ann' AS annotator, 'i' AS image_id, 9 AS other, 'q' AS query_image_id, "
        "date'2024-05-06' AS landed_on"
    )
    lake.upsert("judgements", rows)
    assertDataFrameEqual(lake.read("judgements"), spark.createDataFrame([("q", "i", "ann", 4, DAY)], SCORES))


def test_a_replacement_changes_only_its_partition(spark, lake):
    def examples(snapshot: str, *ids: str):
        return spark.createDataFrame(
            [(snapshot, i, "q", ["q", "n"], 0, "click", 1.0, "train", None, None, None) for i in ids],
            table_schema("training_examples").struct,
        )

    def ids(snapshot: str) -> list[str]:
        return sorted(
            row["example_id"] for row in lake.read("training_examples").where(f"snapshot = '{snapshot}'").collect()
        )

    def files(snapshot: str) -> set[str]:
        return {Path(f).name for f in lake.read("training_examples").where(f"snapshot = '{snapshot}'").inputFiles()}

    lake.replace("training_examples", examples("one", "a", "b"), "snapshot = 'one'")
    lake.replace("training_examples", examples("two", "c"), "snapshot = 'two'")
    other = files("two")
    lake.replace("training_examples", examples("one", "b", "d"), "snapshot = 'one'")
    assert (ids("one"), ids("two")) == (["b", "d"], ["c"])
    assert files("two") == other
    with pytest.raises(Exception, match="REPLACE_WHERE_MISMATCH"):
        lake.replace("training_examples", examples("two", "e"), "snapshot = 'one'")
    assert (ids("one"), ids("two")) == (["b", "d"], ["c"])


def test_a_table_is_created_as_its_schema_says(spark, lake):
    struct = table_schema("interactions").struct
    lake.replace("interactions", spark.createDataFrame([], struct), "event_date = '2024-05-06'")
    (detail,) = spark.sql(f"DESCRIBE DETAIL delta.`{lake.path('interactions')}`").collect()
    assert tuple(detail["partitionColumns"]) == table_schema("interactions").partition_by
    constraints = {name.removeprefix("delta.constraints.") for name in detail["properties"] if "constraints" in name}
    assert constraints == set(table_schema("interactions").checks)
    created = lake.read("interactions").schema
    assert {f.name: f.metadata["comment"] for f in created} == {
        c.name: c.comment for c in table_schema("interactions").columns
    }


def test_a_column_missing_from_new_rows_is_null_if_nullable_and_else_an_error(spark, lake):
    known = (
        "SELECT 'e' AS event_id, 'u' AS user_id, 'q' AS query_image_id, 'd' AS displayed_image_id, 1 AS position, "
        "'click' AS type, timestamp'2024-05-06 07:08:09' AS occurred_at, date'2024-05-06' AS event_date"
    )
    with pytest.raises(AnalysisException, match="request_id"):
        lake.upsert("interactions", spark.sql(known))
    lake.upsert("interactions", spark.sql(f"{known}, 'r' AS request_id"))
    (row,) = lake.read("interactions").collect()
    assert (row["request_id"], row["variant"], row["dwell_ms"]) == ("r", None, None)


def test_a_nullable_column_missing_from_the_rows_keeps_its_stored_value(spark, lake):
    known = (
        "SELECT 'e' AS event_id, 'u' AS user_id, 'q' AS query_image_id, 'd' AS displayed_image_id, 'r' AS request_id, "
        "'click' AS type, timestamp'2024-05-06 07:08:09' AS occurred_at, date'2024-05-06' AS event_date"
    )
    lake.upsert("interactions", spark.sql(f"{known}, 1 AS position, 'b' AS variant"))
    assert lake.upsert("interactions", spark.sql(f"{known}, 1 AS position")) == 0
    assert lake.upsert("interactions", spark.sql(f"{known}, 2 AS position")) == 1
    (row,) = lake.read("interactions").collect()
    assert (row["position"], row["variant"]) == (2, "b")
