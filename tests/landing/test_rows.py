"""A landed file of any format becomes JSON rows with their lines; uncertain rows and files are refused."""

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vsearch_lib.landing.rows import NO_RECORDS, rows_of

FIELDS = {
    "image_id": "string", "visibility": "string", "position": "int", "dwell_ms": "bigint",
    "latitude": "double", "deleted": "boolean", "uploaded_at": "timestamp", "tags": "string",
}  # fmt: skip


@pytest.fixture
def read(tmp_path: Path):
    """Read a file of this name and content: line → the object, or the reason of its refusal."""

    def rows(name: str, content: bytes | str | pa.Table) -> dict[int, object]:
        file = tmp_path / name
        if isinstance(content, pa.Table):
            pq.write_table(content, file)
        else:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        rows_read = list(rows_of(str(file), FIELDS))
        assert all(row.message for row in rows_read if row.reason)
        return {row.line: row.reason or json.loads(row.text) for row in rows_read}

    return rows


def test_json_lines_keep_their_text_and_line_numbers(tmp_path):
    lines = ['\ufeff{"image_id": "a", "other": [1]}\r\n', "\n", ' {"image_id":"b"} \r', '{"image_id":"c"}']
    (tmp_path / "a.jsonl").write_bytes("".join(lines).encode())
    rows = list(rows_of(str(tmp_path / "a.jsonl"), FIELDS))
    assert [(row.line, row.text) for row in rows] == [
        (1, '{"image_id": "a", "other": [1]}'), (3, '{"image_id":"b"}'), (4, '{"image_id":"c"}')
    ]  # fmt: skip


def test_differently_spelled_names_become_the_names_of_the_fields(read):
    assert read("a.jsonl", '{"Image ID": "a", "VISIBILITY": "private", "x": 1}') == {
        1: {"image_id": "a", "visibility": "private"}
    }
    assert read("a.csv", "Image ID, Visibility\na,private\n") == {2: {"image_id": "a", "visibility": "private"}}


def test_a_json_line_with_a_field_twice_is_refused_and_other_lines_are_read(read):
    lines = [
        '{"image_id": "a"}', '{"visibility": "private", "visibility": "public"}', '{"visibilty": "private"}',
        '{"image_id": "d"}',
    ]  # fmt: skip
    assert read("a.jsonl", "\n".join(lines)) == {
        1: {"image_id": "a"}, 2: "malformed_line", 3: "malformed_line", 4: {"image_id": "d"}
    }  # fmt: skip


def test_names_inside_a_value_are_not_fields(read):
    assert read("a.jsonl", '{"x": {"tags": 2, "tags": 3}, "tags": "t"}') == {1: {"x": {"tags": 3}, "tags": "t"}}


def test_a_row_with_a_nested_visibility_is_refused(read):
    assert read("a.jsonl", '{"image_id": "a", "meta": [{"Visibility": "private"}]}') == {1: "malformed_line"}


def test_a_row_with_a_value_outside_pythons_range_is_refused(read):
    late = pa.array([2**62, 0], pa.int64()).cast(pa.timestamp("us"))
    assert read("a.parquet", pa.table({"uploaded_at": late, "image_id": ["a", "b"]})) == {
        1: "malformed_line",
        2: {"uploaded_at": "1970-01-01T00:00:00+00:00", "image_id": "b"},
    }


def test_a_compressed_file_that_is_broken_from_its_start_is_refused(read):
    assert read("a.jsonl.gz", gzip.compress(b"{}")[:10] + b"\xff" * 40) == {0: "broken_file"}


def test_a_row_that_is_not_utf8_is_refused(read):
    assert read("a.jsonl", '{"tags": "a"}\n{"tags": "é"}\n'.encode("latin-1")) == {
        1: {"tags": "a"},
        2: "malformed_line",
    }
    assert read("a.csv", "tags\na\né\nb\n".encode("latin-1")) == {
        2: {"tags": "a"},
        3: "malformed_line",
        4: {"tags": "b"},
    }


def test_a_file_whose_header_is_not_utf8_is_refused(read):
    assert read("a.csv", "tags,größe\na,b\n".encode("latin-1")) == {0: "malformed_header"}


def test_utf16_with_a_byte_order_mark_is_read(read):
    assert read("a.csv", "image_id,tags\r\na,größe\r\n".encode("utf-16")) == {2: {"image_id": "a", "tags": "größe"}}
    assert read("a.jsonl", '{"tags": "größe"}\r\n'.encode("utf-16")) == {1: {"tags": "größe"}}


def test_csv_values_become_numbers_if_the_field_is_a_number(read):
    text = "image_id,position,dwell_ms,latitude,deleted\n007,1,1500.0,-3.5,True\n8,x,,,\n"
    assert read("a.csv", text) == {
        2: {"image_id": "007", "position": 1, "dwell_ms": 1500, "latitude": -3.5, "deleted": True},
        3: {"image_id": "8", "position": "x"},
    }


@pytest.mark.parametrize("row", ["a,public,red,blue", "a,private", "a", 'a,"private,x', 'a,"pri"vate",x'])
def test_only_the_csv_row_that_does_not_fit_its_header_is_refused(read, row):
    rows = read("a.csv", f"image_id,visibility,tags\nb,private,x\n{row}\nc,public,\n")
    assert rows == {
        2: {"image_id": "b", "visibility": "private", "tags": "x"},
        3: "malformed_line",
        4: {"image_id": "c", "visibility": "public"},
    }


@pytest.mark.parametrize(
    "header", ["image_id,visibility,Visibility", "image_id,visibilty", "image_id;visibility", "who,what", '"image_id']
)
def test_a_file_with_an_uncertain_header_is_refused(read, header):
    assert read("a.csv", f"{header}\na,private,private\n") == {0: "malformed_header"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", ""),
        ("a.jsonl", "\n \n"),
        ("a.csv", ""),
        ("a.csv", "image_id\n"),
        ("a.jsonl.gz", gzip.compress(b"", mtime=0)),
    ],
)
def test_a_file_without_records_gives_no_records(read, name, content):
    assert read(name, content) == {0: NO_RECORDS}


def test_no_row_of_a_cut_file_is_read(read):
    lines = b"".join(b'{"image_id": "%d"}\n' % n for n in range(5000))
    assert read("a.jsonl.gz", gzip.compress(lines)[:-100]) == {0: "broken_file"}
    whole = pa.compress(lines, codec="zstd", asbytes=True)
    assert read("a.jsonl.zst", whole[:-5]) == {0: "broken_file"}
    assert len(read("a.jsonl.zst", whole)) == 5000


def test_several_gzip_members_are_read_as_one_text(read):
    two = gzip.compress(b'{"image_id": "a"}\n') + gzip.compress(b'{"image_id": "b"}\n')
    assert read("a.jsonl.gz", two) == {1: {"image_id": "a"}, 2: {"image_id": "b"}}


def test_parquet_values_become_json_values(read):
    moment = datetime(2026, 11, 1, 10, tzinfo=UTC)
    table = pa.table(
        {
            "image_id": pa.array(["a", None]),
            "position": pa.array([3.0, float("nan")]),
            "dwell_ms": pa.array([Decimal("7.00"), None]),
            "latitude": pa.array([0.25, None], pa.float32()),
            "deleted": pa.array([True, None]),
            "uploaded_at": pa.array([moment, None], pa.timestamp("ns", "UTC")),
            "tags": pa.array([["x", "y"], None]),
            "visibility": pa.nulls(2),
            "day": pa.array([date(2026, 11, 1), None]),
        }
    )
    assert read("a.parquet", table) == {
        1: {
            "image_id": "a", "position": 3, "dwell_ms": 7, "latitude": 0.25, "deleted": True,
            "uploaded_at": "2026-11-01T10:00:00+00:00", "tags": ["x", "y"],
        },
        2: {},
    }  # fmt: skip


def test_parquet_of_pandas_with_nanoseconds_is_read(tmp_path):
    frame = pd.DataFrame({"image_id": ["a"], "uploaded_at": pd.to_datetime(["2026-11-01 10:00:00.123456789"])})
    frame.to_parquet(tmp_path / "a.parquet")
    (row,) = rows_of(str(tmp_path / "a.parquet"), FIELDS)
    assert json.loads(row.text)["uploaded_at"] == "2026-11-01T10:00:00.123456+00:00"


def test_parquet_texts_may_be_stored_as_bytes(read):
    assert read("a.parquet", pa.table({"tags": pa.array([b"a", b"\xe9"])})) == {1: {"tags": "a"}, 2: "malformed_line"}


@pytest.mark.parametrize("cut", [slice(None, -30), slice(30, None), slice(0, 4)])
def test_a_cut_parquet_file_is_refused(read, tmp_path, cut):
    pq.write_table(pa.table({"tags": ["a"] * 100}), tmp_path / "whole.parquet")
    content = (tmp_path / "whole.parquet").read_bytes()[cut]
    assert read("a.parquet", content) == {0: "broken_file"}


def test_a_parquet_file_with_a_damaged_page_is_refused(read, tmp_path):
    pq.write_table(pa.table({"tags": [str(n) for n in range(9000)]}), tmp_path / "whole.parquet", compression="gzip")
    content = bytearray((tmp_path / "whole.parquet").read_bytes())
    content[200:260] = bytes(60)
    assert read("a.parquet", bytes(content)) == {0: "broken_file"}


def test_a_parquet_file_with_a_field_twice_is_refused(read):
    table = pa.table(
        [pa.array(["a"]), pa.array(["private"]), pa.array(["public"])], ["image_id", "visibility", "Visibility"]
    )
    assert read("a.parquet", table) == {0: "malformed_header"}


def test_a_file_that_was_removed_is_refused(tmp_path):
    assert [(row.line, row.reason) for row in rows_of(str(tmp_path / "gone.jsonl"), FIELDS)] == [(0, "unreadable")]


def test_objects_of_a_bucket_are_read_like_files(bucket):
    import boto3

    client = boto3.client("s3")
    client.put_object(Bucket="vsearch-tests", Key="rows/a.jsonl.gz", Body=gzip.compress(b'{"image_id": "a"}'))
    table = pa.BufferOutputStream()
    pq.write_table(pa.table({"image_id": ["b"]}), table)
    client.put_object(Bucket="vsearch-tests", Key="rows/b.parquet", Body=table.getvalue().to_pybytes())
    for name, image_id in (("a.jsonl.gz", "a"), ("b.parquet", "b")):
        (row,) = rows_of(f"{bucket}/rows/{name}", FIELDS)
        assert json.loads(row.text) == {"image_id": image_id}
    assert [row.reason for row in rows_of(f"{bucket}/rows/gone.jsonl", FIELDS)] == ["unreadable"]
