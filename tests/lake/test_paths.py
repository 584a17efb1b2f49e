"""A lake may be in a folder of any name: no character of it is taken for a pattern, an escape or a quote."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from vsearch_lib.embedding.pending import VECTORS, Pending
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.lake.differences import schema_differences
from vsearch_lib.lake.maintenance import maintain
from vsearch_lib.lake.metrics import record
from vsearch_lib.lake.paths import escape_glob, quoted

ODD = "100% [neu] #1 Jörg's {a,b}+c *?&=~"


def test_a_table_in_a_folder_of_any_name_is_written_read_checked_and_maintained(spark, tmp_path):
    lake = Lake(spark, str(tmp_path / ODD / "lake"), "run-1")
    for value in (1, 2):
        record(lake, [Figure("rows", value, slice=str(value))])
    assert sorted(row["value"] for row in lake.read("metrics").collect()) == [1, 2]
    assert schema_differences(lake) == []
    assert maintain(lake, "metrics", retention_hours=168).files_after == 1
    assert os.listdir(tmp_path) == [ODD]


def test_pending_vectors_are_read_from_a_folder_of_any_name(spark, tmp_path):
    pending = Pending(Lake(spark, str(tmp_path / ODD), "run-1"), "m1")
    (tmp_path / ODD / "pending_embeddings" / "m1").mkdir(parents=True)
    pq.write_table(pa.table([["hash"], [[1.0, 2.0]]], schema=VECTORS), f"{pending.uri}/x.parquet")
    assert [row["sha256"] for row in pending.read(pending.files()).collect()] == ["hash"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return tmp_path_factory.mktemp("folders")


# For Hadoop a colon ends a scheme, and Spark ignores names that start with a dot or an underscore.
@examples(max_examples=15, deadline=None)
@given(name=st.text(alphabet="ab %#[]{}*?\\^+,;'\"`&=~!$()é東", min_size=1, max_size=8).map(lambda text: f"f{text}f"))
def test_a_reader_reads_the_named_file_and_no_other(spark, folders, name):
    (folders / name).mkdir(exist_ok=True)
    (folders / name / "file.txt").write_text("a line")
    lines = spark.read.text(escape_glob(str(folders / name))).select("value", "_metadata.file_path").collect()
    assert [line["value"] for line in lines] == ["a line"]


def test_a_backtick_in_a_name_does_not_end_it():
    assert quoted("a`b", "c") == "`a``b`.`c`"
