"""Landed records become rows with their file and line; malformed lines are marked and never lost."""

import json
import os
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from vsearch_lib.landing.lines import CORRUPT, number_lines, parse, read_lines
from vsearch_lib.landing.listing import list_landed

FIELDS = "name string, n int, share double, ok boolean, at timestamp"
AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
DAY = date(2024, 5, 6)
LINES = "source string, block bigint, row bigint, text string, reason string"
ODD = "odd [a] {b} #1 50% %20 a+b größe"


@pytest.fixture(scope="module")
def landed(spark, tmp_path_factory, write_lines) -> dict[str, list[tuple[int, dict]]]:
    """Landed file → its rows as (line, values or malformed text); all files are read at once."""
    folder = tmp_path_factory.mktemp("date=2024-05-06") / ODD
    rows = [
        {"name": "a", "n": 1, "share": 0.5, "ok": True, "at": "2024-05-06T07:08:09Z"},
        {"name": "b"},
    ]
    write_lines(folder / "one.jsonl", [*rows, "", "  ", {"name": "ü", "n": -3}, "not json"])
    write_lines(folder / "two.jsonl.gz", [*rows, "", {"name": "z", "n": "3"}])
    (folder / "three.csv").write_text(
        "name,n,share,ok,at,other\n"
        "001,1,0.5,true,2024-05-06T07:08:09Z,x\n"
        '"say ""n"":""7"", twice",-2,1e-3,False,2024-05-06 07:08:09,\n'
        "c,many,,,,\n"
        ",,,,,\n"
        "d,1.5,,maybe,,\n"
    )
    table = pa.table({"name": ["a", None], "n": [1, None], "share": [0.5, None], "ok": [True, None], "at": [AT, None]})
    pq.write_table(table, folder / "four.parquet")
    lines = read_lines(spark, list_landed(str(folder)).files, FIELDS, set())
    numbered = number_lines(parse(lines, FIELDS), lines).collect()
    rows_of_file: dict[str, list[tuple[int, dict]]] = {}
    for row in sorted(numbered, key=lambda row: row["line"]):
        file = Path(row["source"].removeprefix("file:"))
        assert file.parent == folder, "the source is the path of the file, spelled as in the listing"
        values = {name: row[name] for name in ("name", "n", "share", "ok", "at") if row[name] is not None}
        rows_of_file.setdefault(file.name, []).append((row["line"], values if row[CORRUPT] is None else row[CORRUPT]))
    return rows_of_file


FULL = {"name": "a", "n": 1, "share": 0.5, "ok": True, "at": AT.replace(tzinfo=None)}


@pytest.fixture(scope="module", autouse=True)
def utc(spark):
    """Set the time zone of this machine to UTC, because collected times are in its time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def test_json_lines_are_read_with_their_line_numbers(landed):
    assert landed["one.jsonl"] == [(1, FULL), (2, {"name": "b"}), (5, {"name": "ü", "n": -3}), (6, "not json")]


def test_compressed_json_lines_are_read_like_uncompressed_ones(landed):
    assert landed["two.jsonl.gz"] == [(1, FULL), (2, {"name": "b"}), (4, '{"name": "z", "n": "3"}')]


def test_csv_values_get_the_types_of_their_fields(landed):
    lines = dict(landed["three.csv"])
    assert lines[2] == {**FULL, "name": "001"}
    assert lines[3] == {**FULL, "name": 'say "n":"7", twice', "n": -2, "share": 0.001, "ok": False}


def test_a_csv_row_of_commas_is_a_row_without_values(landed):
    assert dict(landed["three.csv"])[5] == {}


def test_csv_values_that_do_not_fit_are_marked(landed):
    lines = dict(landed["three.csv"])
    assert json.loads(lines[4]) == {"name": "c", "n": "many"}
    assert json.loads(lines[6]) == {"name": "d", "n": "1.5", "ok": "maybe"}


def test_csv_lines_are_counted_as_an_editor_counts_them(landed):
    assert [line for line, _ in landed["three.csv"]] == [2, 3, 4, 5, 6]


def test_parquet_rows_are_read_like_lines(landed):
    assert landed["four.parquet"] == [(1, FULL), (2, {})]


def test_no_files_give_no_lines(spark):
    lines = read_lines(spark, [], FIELDS, set())
    assert lines.columns == ["source", "landed_on", "block", "row", "text", "reason", "message"]
    assert lines.isEmpty()


def test_lines_are_numbered_exactly_when_files_are_split(spark, tmp_path, write_lines):
    files = {}
    for name, count in (("a.jsonl", 60), ("b.jsonl", 150), ("c.jsonl", 1)):
        # Lines of different lengths, some blank, so that a split may begin anywhere in a line.
        content = ["" if n % 7 == 3 else {"n": n, "name": "x" * (n * 37 % 90)} for n in range(1, count + 1)]
        files[str(write_lines(tmp_path / name, content))] = [n for n in range(1, count + 1) if n % 7 != 3]
    setting = "spark.sql.files.maxPartitionBytes"
    before = spark.conf.get(setting)
    spark.conf.set(setting, "1024")
    try:
        lines = read_lines(spark, list_landed(str(tmp_path)).files, FIELDS, set())
        rows = number_lines(parse(lines, FIELDS), lines).select("source", "line", "n").collect()
        blocks = lines.select("source", "block").distinct().count()
    finally:
        spark.conf.set(setting, before)
    assert blocks > len(files) + 4
    assert [row for row in rows if row["line"] != row["n"]] == []
    assert {file: sorted(row["n"] for row in rows if row["source"].endswith(file)) for file in files} == files


# Lines that fit

NAMES = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "n": st.none() | st.integers(-(2**31), 2**31 - 1),
        "share": st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32),
        "ok": st.none() | st.booleans(),
        "unknown": st.integers() | st.lists(NAMES, max_size=2) | st.dictionaries(st.text("ab", max_size=2), NAMES),
    },
)
FITTING = st.builds(lambda o, ascii: json.dumps(o, ensure_ascii=ascii), OBJECTS, st.booleans())
WRONG_VALUES = [
    *('{"n": "1"}', '{"n": 1.5}', '{"n": 2147483648}', '{"n": true}', '{"n": [1]}', '{"n": {}}', '{"ok": 1}'),
    *('{"ok": "true"}', '{"share": "half"}', '{"at": "yesterday"}', '{"at": "2024-02-30T00:00:00Z"}', '{"at": {}}'),
]
NOT_OBJECTS = [
    *("[]", '[{"n": 1}]', "3", "null", '"text"', '""', "true", "{", "}", "{}}", "nonsense", "{]", '{"n": 1}}'),
    *('{"n": 1}} more', '{"n": 1}, "n": 2', '{"n": 1}, 2', '{"n": 1},', ', {"n": 1}', '{"n": 1} ]'),
]
CUT = st.builds(lambda text, part: text[: 1 + int(part * (len(text) - 1))], FITTING, st.floats(0, 0.99))
GLUED = st.builds(lambda one, between, other: one + between + other, FITTING, st.sampled_from(["", " ", ","]), FITTING)
MISFITS = st.sampled_from(WRONG_VALUES + NOT_OBJECTS) | CUT | GLUED


@examples(max_examples=12, deadline=None)
@given(st.lists(st.tuples(FITTING, st.just(True)) | st.tuples(MISFITS, st.just(False)), min_size=1, max_size=40))
def test_exactly_the_lines_that_do_not_fit_are_marked(spark, lines):
    frame = spark.createDataFrame([("f", 0, n, text, None) for n, (text, _) in enumerate(lines)], LINES)
    rows = {row["row"]: row for row in parse(frame, FIELDS).collect()}
    assert len(rows) == len(lines)
    for number, (text, fits) in enumerate(lines):
        assert (rows[number][CORRUPT] is None) == fits, text
        if not fits:
            assert rows[number][CORRUPT] == rows[number]["text"] == text


@pytest.mark.parametrize("lines", [NOT_OBJECTS, WRONG_VALUES], ids=["no objects", "wrong values"])
def test_these_lines_are_all_marked(spark, lines):
    frame = spark.createDataFrame([("f", 0, n, text, None) for n, text in enumerate(lines)], LINES)
    assert [row["text"] for row in parse(frame, FIELDS).collect() if row[CORRUPT] is None] == []


def test_values_are_read_unchanged(spark):
    written = {"name": 'q"\\/\u2028 é {}', "n": -(2**31), "share": 1e-9, "ok": False}
    frame = spark.createDataFrame([("f", 0, 0, json.dumps(written), None)], LINES)
    (row,) = parse(frame, FIELDS).collect()
    assert {name: row[name] for name in written} == written
