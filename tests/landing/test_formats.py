"""The format of a file is certain by its name and its first bytes, or the file is refused."""

import bz2
import gzip
import io
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vsearch_lib.landing.formats import Format, NotReadable, for_spark, holds_a_table, recognise
from vsearch_lib.landing.listing import LandedFile

LINES = b'{"a": 1}\n'
ZSTD = pa.compress(LINES, codec="zstd", asbytes=True)


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.jsonl", LINES, Format("json lines", None)),
        ("A.JSONL", LINES, Format("json lines", None)),
        ("a.ndjson", LINES, Format("json lines", None)),
        ("part-00000-abc.c000.json", LINES, Format("json lines", None)),
        ("clicks-1-2026-11-01-00-00-00-abc", LINES, Format("json lines", None)),
        ("clicks.log", b"\xef\xbb\xbf  {}", Format("json lines", None)),
        ("a.jsonl", b"", Format("json lines", None)),
        ("a.json.gz", gzip.compress(LINES, mtime=0), Format("json lines", "gzip")),
        ("firehose-without-a-suffix", gzip.compress(LINES, mtime=0), Format("json lines", "gzip")),
        ("a.jsonl", gzip.compress(LINES, mtime=0), Format("json lines", "gzip")),
        ("a.jsonl.zst", ZSTD, Format("json lines", "zstd")),
        ("a.csv", b"a,b\n", Format("csv", None)),
        ("a.csv.gz", gzip.compress(b"a,b\n", mtime=0), Format("csv", "gzip")),
        ("a.csv", '{"a"'.encode("utf-16"), Format("csv", None)),
        ("utf16", '{"a": 1}'.encode("utf-16"), Format("json lines", None)),
        ("a.parquet", parquet(), Format("parquet", None)),
        ("part-0.c000.snappy.parquet", parquet(), Format("parquet", None)),
        ("no suffix", parquet(), Format("parquet", None)),
    ],
)
def test_a_format_is_recognised_by_name_and_content(name, content, form):
    file = io.BytesIO(content)
    assert recognise(name, file) == form
    assert file.tell() == 0


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl.gz", LINES, "broken_file"),
        ("a.jsonl.gz", b"", "empty_file"),
        ("a.jsonl.zst", gzip.compress(LINES, mtime=0), "broken_file"),
        ("a.jsonl.zst", ZSTD[:4], "broken_file"),
        ("a.parquet", LINES, "broken_file"),
        ("a.parquet", b"", "empty_file"),
        ("a.csv", parquet(), "broken_file"),
        ("a.jsonl", parquet(), "broken_file"),
        ("a.parquet.gz", gzip.compress(parquet(), mtime=0), "unsupported_format"),
        ("a.jsonl.bz2", bz2.compress(LINES), "unsupported_format"),
        ("a.xlsx", b"PK\x03\x04", "unsupported_format"),
        ("a.avro", b"Obj\x01", "unsupported_format"),
        ("README.md", b"# Clicks\n", "unsupported_format"),
        ("a.tsv", b"a\tb\n", "unsupported_format"),
    ],
)
def test_a_file_of_an_uncertain_format_is_refused(name, content, reason):
    with pytest.raises(NotReadable) as caught:
        recognise(name, io.BytesIO(content))
    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)


def landed(name: str) -> LandedFile:
    return LandedFile(f"/landing/{name}", 9, 0, date(2024, 5, 6))


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "LOG.JSONL", "clicks-abc", "clicks.log"])
def test_spark_reads_uncompressed_json_lines(name):
    assert for_spark(landed(name), LINES, set())
    assert for_spark(landed(name), b"\xef\xbb\xbf \n" + LINES, set())


@pytest.mark.parametrize("name", ["_a.jsonl", "a.jsonl.gz", "a.lz4", "a.bz2", "a.csv", "a.parquet", ".a.jsonl"])
def test_spark_does_not_read_files_that_it_would_pass_over_or_decompress(name):
    assert not for_spark(landed(name), LINES, set())


def test_spark_does_not_read_files_that_may_not_be_utf8_or_have_a_checksum():
    assert not for_spark(landed("a.jsonl"), gzip.compress(LINES, mtime=0), set())
    assert not for_spark(landed("a.jsonl"), '{"a": 1}'.encode("utf-16"), set())
    assert not for_spark(landed("a.jsonl"), LINES, {"/landing/.a.jsonl.crc"})
    assert for_spark(landed("a.jsonl"), LINES, {"/landing/.b.jsonl.crc"})


@pytest.mark.parametrize(
    "name", ["labels.csv", "a.JSON.GZ", "a.xlsx", "a.yaml", "a.csv.tar.bz2", "a.csv.bak", "a.csv~"]
)
def test_names_of_tables_are_recognised(name):
    assert holds_a_table(name)


@pytest.mark.parametrize("name", ["a.jpg", "README.md", "notes.txt", "csv", "album.zip"])
def test_names_of_other_files_are_not_tables(name):
    assert not holds_a_table(name)
