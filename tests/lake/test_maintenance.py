"""Upkeep merges files and deletes unused ones; it loses no row, and no version that a reader may still use."""

import os
import time
from pathlib import Path

import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.errors import UsageError
from vsearch_lib.lake import Lake, table_schema
from vsearch_lib.lake.maintenance import check_retention, maintain
from vsearch_lib.run.bodies import body_of

HOUR = 3600
MB = 2**20


def examples(spark, snapshot: str, *ids: str):
    rows = [(snapshot, i, "q", ["q", "n"], 0, "click", 1.0, "train", None, None, None) for i in ids]
    return spark.createDataFrame(rows, table_schema("training_examples").struct).coalesce(1)


def metrics(spark, *names: str):
    rows = spark.createDataFrame(
        [("r", name, "all", 1.0) for name in names], "run string, metric string, slice string, value double"
    )
    return rows.selectExpr("*", "timestamp'2026-11-01' AS recorded_at").coalesce(1)


@pytest.fixture
def append(spark, lake):
    """Add rows to a table as one more small file, as an upsert of new keys does."""

    def add(table: str, rows) -> None:
        if lake.exists(table):
            rows.write.format("delta").mode("append").save(lake.path(table))
        else:
            lake.upsert(table, rows)

    return add


@pytest.fixture
def crowded(spark, lake, append) -> Lake:
    """Metrics in three files."""
    for name in ("a", "b", "c"):
        append("metrics", metrics(spark, name))
    return lake


def metric_names(lake: Lake, version: int | None = None) -> list[str]:
    reader = lake.spark.read.format("delta")
    reader = reader if version is None else reader.option("versionAsOf", version)
    return sorted(row["metric"] for row in reader.load(lake.path("metrics")).collect())


def age(lake: Lake, table: str, hours: float) -> None:
    """Make every data file look as if it had been written `hours` ago."""
    then = time.time() - hours * HOUR
    for file in Path(lake.path(table)).rglob("*.parquet"):
        if "_delta_log" not in file.parts:
            os.utime(file, (then, then))


def test_small_files_become_one_and_every_row_stays(crowded):
    before = crowded.version("metrics")
    upkeep = maintain(crowded, "metrics", retention_hours=168)
    assert (upkeep.files_before, upkeep.small_files_before) == (3, 3)
    assert (upkeep.files_after, upkeep.small_files_after) == (1, 1)
    (file,) = crowded.read("metrics").inputFiles()
    assert upkeep.table_bytes == Path(file.removeprefix("file:")).stat().st_size
    assert upkeep.files_vacuumed == 0
    assert crowded.version("metrics") == before + 1
    assert metric_names(crowded) == ["a", "b", "c"]


def test_a_second_upkeep_makes_no_version(crowded):
    maintain(crowded, "metrics", retention_hours=168)
    before = crowded.version("metrics")
    upkeep = maintain(crowded, "metrics", retention_hours=168)
    assert (upkeep.files_before, upkeep.files_after, upkeep.files_vacuumed) == (1, 1, 0)
    assert crowded.version("metrics") == before


def test_a_reader_of_an_older_version_within_the_retention_still_reads_it(crowded):
    before = crowded.version("metrics")
    age(crowded, "metrics", 1000)  # written long ago but replaced just now: the second time counts
    maintain(crowded, "metrics", retention_hours=168)
    maintain(crowded, "metrics", retention_hours=168)
    assert metric_names(crowded, before) == ["a", "b", "c"]


@pytest.mark.parametrize(("retention", "deleted"), [(1, {2, 200, 400}), (168, {200, 400}), (300, {400})])
def test_only_files_out_of_use_for_longer_than_the_retention_are_deleted(crowded, retention, deleted):
    folder = Path(crowded.path("metrics"))
    for hours in (2, 200, 400):
        left = folder / f"part-left-by-a-failed-write-{hours}.parquet"
        left.write_bytes(b"x")
        os.utime(left, (time.time() - hours * HOUR,) * 2)
    upkeep = maintain(crowded, "metrics", retention_hours=retention)
    assert upkeep.files_vacuumed == len(deleted)
    left = {int(file.stem.rsplit("-", 1)[1]) for file in folder.glob("part-left-*")}
    assert left == {2, 200, 400} - deleted
    assert metric_names(crowded) == ["a", "b", "c"]


def test_deleting_files_makes_no_version_and_restores_the_settings_of_the_session(spark, crowded):
    maintain(crowded, "metrics", retention_hours=168)
    before, settings = crowded.version("metrics"), dict(spark.conf.getAll)
    orphan = Path(crowded.path("metrics")) / "part-orphan.parquet"
    orphan.write_bytes(b"x")
    os.utime(orphan, (time.time() - 200 * HOUR,) * 2)
    assert maintain(crowded, "metrics", retention_hours=168).files_vacuumed == 1
    assert crowded.version("metrics") == before
    assert dict(spark.conf.getAll) == settings


def test_only_partitions_with_several_small_files_are_rewritten(spark, lake, append):
    append("training_examples", examples(spark, "calm", "a"))
    for example in ("b", "c'\\"):
        append("training_examples", examples(spark, "it's \\crowded", example))
    calm = lake.read("training_examples").where("snapshot = 'calm'").inputFiles()
    upkeep = maintain(lake, "training_examples", retention_hours=168)
    assert (upkeep.files_before, upkeep.files_after) == (3, 2)
    assert lake.read("training_examples").where("snapshot = 'calm'").inputFiles() == calm
    stored = {(row["snapshot"], row["example_id"]) for row in lake.read("training_examples").collect()}
    assert stored == {("calm", "a"), ("it's \\crowded", "b"), ("it's \\crowded", "c'\\")}


def test_a_day_of_interactions_is_sorted_by_query_image_only_once(spark, lake, append):
    for event, query in (("1", "m"), ("2", "c"), ("3", "x"), ("4", "a")):
        row = (event, "u", query, "shown", 1, "click")
        rows = spark.createDataFrame(
            [row],
            "event_id string, user_id string, query_image_id string, "
            "displayed_image_id string, position int, type string",
        ).selectExpr(
            "*",
            "cast(null as bigint) AS dwell_ms",
            "cast(null as double) AS latitude",
            "cast(null as double) AS longitude",
            "timestamp'2026-11-01' AS occurred_at",
            "date'2026-11-01' AS event_date",
            "'r' AS request_id",
            "cast(null as string) AS index_version",
            "cast(null as string) AS variant",
        )
        append("interactions", rows)
    assert maintain(lake, "interactions", retention_hours=168).files_after == 1
    (file,) = lake.read("interactions").inputFiles()
    assert [row["query_image_id"] for row in spark.read.parquet(file).collect()] == ["a", "c", "m", "x"]
    before = lake.version("interactions")
    maintain(lake, "interactions", retention_hours=168)
    assert lake.version("interactions") == before


def test_directories_of_change_data_do_not_count_as_deleted_files(spark, lake):
    columns = "model_version string, image_id string, sha256 string, vector array<float>"
    lake.upsert("embeddings", spark.createDataFrame([("m", name, "s", [1.0]) for name in "ab"], columns))
    lake.upsert("embeddings", spark.createDataFrame([("m", "a", "t", [1.0])], columns))
    assert list(Path(lake.path("embeddings")).glob("_change_data/*"))
    assert maintain(lake, "embeddings", retention_hours=168).files_vacuumed == 0


def test_a_table_without_rows_has_no_files(spark, lake):
    lake.replace("training_examples", examples(spark, "s"), "snapshot = 's'")
    assert set(vars(maintain(lake, "training_examples", retention_hours=168)).values()) == {0}


def test_a_retention_shorter_than_the_longest_reader_is_refused_before_anything_is_done(crowded, settings):
    refused = load_settings("demo", [f"var={settings.var}", "maintenance.retention_hours=23"])
    before = crowded.version("metrics")
    with pytest.raises(UsageError, match=r"maintenance\.retention_hours=23 .*maintenance\.longest_reader_hours=24"):
        body_of("maintain_tables")(StepContext(settings=refused, lake=crowded, run_id="run-1"))
    assert crowded.version("metrics") == before


def test_a_retention_as_long_as_the_longest_reader_is_accepted():
    check_retention(retention_hours=24, longest_reader_hours=24)


def test_the_job_maintains_the_existing_tables_and_reports_what_it_did(crowded, settings):
    lines: list[str] = []
    figures = body_of("maintain_tables")(StepContext(settings=settings, lake=crowded, run_id="run-1", say=lines.append))
    assert {figure.subject for figure in figures} == {"metrics"}
    value = {figure.metric: figure.value for figure in figures}
    assert (value["files_before"], value["files_after"]) == (3, 1)
    assert lines == ["maintain_tables: 1 tables, 3 files became 1, 0 deleted that were out of use for 168 h"]


def test_a_lake_without_tables_has_nothing_to_maintain(lake, settings):
    assert body_of("maintain_tables")(StepContext(settings=settings, lake=lake, run_id="run-1")) == []
