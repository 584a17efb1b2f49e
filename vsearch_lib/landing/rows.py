"""Rows of one landed file of any format as JSON objects; a row or a file that is not certain is refused.

A worker reads a packed or Parquet file to its end before it returns the first row: no row of a cut file is ingested.
"""

import datetime
import decimal
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from vsearch_lib.landing.columns import Columns, UnclearColumns, refuse_nested_visibility
from vsearch_lib.landing.csv_records import csv_records
from vsearch_lib.landing.formats import HEAD_BYTES, UNREADABLE, Format, NotReadable, encoding_of, recognise, unpacked
from vsearch_lib.storage import open_file

NO_RECORDS = "no_records"  # used as a reason: the file is intact, but it has no records
_BLOCK_BYTES = 2**20
_PARQUET_ROWS = 1024
_INTEGER = re.compile(r"(-?(?:0|[1-9]\d*))(?:\.0+)?")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


class Row(NamedTuple):
    """A record as JSON, or refused with a reason. `line` is its line (Parquet: its number), 0 for the whole file."""

    line: int
    text: str | None
    reason: str | None = None
    message: str | None = None


def rows_of(path: str, fields: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of the landed file `path`; blank lines are skipped.

    Args:
        fields: field of a record → its Spark type, by which CSV values become numbers.
    """
    try:
        with open_file(path) as file:
            form = recognise(path.rpartition("/")[2], file)
            rows = _parquet_rows(file, fields) if form.layout == "parquet" else _text_rows(file, form, fields)
            first = next(rows, None)
            yield first or Row(0, None, NO_RECORDS, "no records in it")
            yield from rows
    except NotReadable as refusal:
        yield Row(0, None, refusal.reason, str(refusal))
    except UnclearColumns as problem:
        yield Row(0, None, "malformed_header", f"{problem}; docs/tables.md lists the names")
    except FileNotFoundError:
        yield Row(0, None, "unreadable", "the file was removed while it was read")
    except OSError as error:
        yield Row(0, None, "unreadable", f"it cannot be opened: {error.strerror or error}")


def _text_rows(file: BinaryIO, form: Format, fields: Mapping[str, str]) -> Iterator[Row]:
    if form.compression:
        _read_to_the_end(file, form)
    stream = unpacked(file, form.compression)
    encoding = encoding_of(stream.peek(HEAD_BYTES)[:2])  # type: ignore[attr-defined]
    # Invalid bytes become lone surrogates, so that the row that contains them can be refused.
    errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
    lines: Iterator[str] = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
    if errors == "replace":
        lines = (line.replace("\ufffd", "\udcff") for line in lines)
    return (_csv_rows if form.layout == "csv" else _json_rows)(lines, fields)


def _read_to_the_end(file: BinaryIO, form: Format) -> None:
    try:
        stream = unpacked(file, form.compression)
        while stream.read(_BLOCK_BYTES):
            pass
    except UNREADABLE as error:
        raise NotReadable("broken_file", f"it does not unpack to its end: {error}; write it again") from None
    file.seek(0)


def _json_rows(lines: Iterator[str], fields: Mapping[str, str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        text = line.strip(" \t\r\n")
        if not text:
            continue
        yield _not_utf8(number, text) or _json_row(number, text, fields)


def _json_row(number: int, text: str, fields: Mapping[str, str]) -> Row:
    # Only names are checked here; the parser refuses lines that are not objects of the fields.
    names: list[str] = []
    inside: list[str] = []

    def record_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        inside.extend(names)
        names[:] = [name for name, _ in pairs]  # the last call is for the outermost object
        return dict(pairs)

    try:
        record = json.loads(text, object_pairs_hook=record_names)
        if not isinstance(record, dict):
            return Row(number, text)
        columns = Columns.of(names, list(fields))
        refuse_nested_visibility(inside, list(fields))
    except UnclearColumns as problem:
        return Row(number, text, "malformed_line", str(problem))
    except (ValueError, RecursionError):
        return Row(number, text)
    if columns.renamed:
        known = zip(names, columns.fields, strict=True)
        text = json.dumps({field: record[name] for name, field in known if field})
    return Row(number, text)


def _csv_rows(lines: Iterator[str], fields: Mapping[str, str]) -> Iterator[Row]:
    records = csv_records(lines)
    header = next(records, None)
    if header is None:
        return
    if header.fields is None or _not_utf8(header.line, header.text):
        raise UnclearColumns(f"its first line is not a header: {header.problem or 'not UTF-8'}")
    columns = Columns.of(header.fields, list(fields))
    if not any(columns.fields):
        raise UnclearColumns(f"none of its columns is a field: {header.text[:80]!r}; separate them by commas")
    for line, text, values, problem in records:
        if values is None:
            yield Row(line, _clean(text), "malformed_line", problem)
        else:
            yield _not_utf8(line, text) or _csv_row(line, text, values, columns, fields)


def _csv_row(line: int, text: str, values: Sequence[str], columns: Columns, fields: Mapping[str, str]) -> Row:
    if len(values) != len(columns.fields):
        return Row(line, text, "malformed_line", f"{len(values)} values, but {len(columns.fields)} in the header")
    # An empty value is not stated.
    known = [(field, value) for field, value in zip(columns.fields, values, strict=True) if field and value]
    return Row(line, f"{{{', '.join(f'{json.dumps(f)}: {_json_value(v, fields[f])}' for f, v in known)}}}")


def _json_value(value: str, kind: str) -> str:
    if kind in ("int", "bigint") and (whole := _INTEGER.fullmatch(value)):
        return whole[1]
    if kind == "double" and _NUMBER.fullmatch(value):
        return value
    if kind == "boolean" and value.lower() in ("true", "false"):
        return value.lower()
    return json.dumps(value, ensure_ascii=False)


def _parquet_rows(file: BinaryIO, fields: Mapping[str, str]) -> Iterator[Row]:
    try:
        table = pq.ParquetFile(file)
        columns = Columns.of(table.schema_arrow.names, list(fields))
        chosen = [name for name, known in zip(table.schema_arrow.names, columns.fields, strict=True) if known]
        named = {name: known for name, known in zip(table.schema_arrow.names, columns.fields, strict=True) if known}
        for batch in table.iter_batches(_PARQUET_ROWS, columns=chosen):
            batch.validate(full=True)
    except UNREADABLE as error:
        raise NotReadable("broken_file", f"not a whole Parquet file: {_first_line(error)}; write it again") from None
    if not named:
        raise UnclearColumns(f"none of its columns is a field: {', '.join(table.schema_arrow.names)[:80]}")
    number = 0
    for batch in table.iter_batches(_PARQUET_ROWS, columns=chosen):
        values = {named[name]: column for name, column in zip(batch.schema.names, batch.columns, strict=True)}
        for row in range(batch.num_rows):
            number += 1
            yield _parquet_row(number, {name: column[row] for name, column in values.items()})


def _parquet_row(number: int, record: Mapping[str, pa.Scalar]) -> Row:
    known = {}
    for name, value in record.items():
        try:
            if pa.types.is_timestamp(value.type):  # Python's datetime has no nanoseconds
                value = value.cast(pa.timestamp("us", value.type.tz), safe=False)
            json_value = _as_json(value.as_py())
        except UNREADABLE as error:
            return Row(number, None, "malformed_line", f"{name}: a value that cannot be read: {_first_line(error)}")
        if json_value is not None:
            known[name] = json_value
    return Row(number, json.dumps(known, ensure_ascii=False))


def _as_json(value: object) -> object:
    """Return a Parquet value as a JSON value; None for NaN, which pandas writes for a missing value."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() else value
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, datetime.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).isoformat()
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return str(value)
    if isinstance(value, decimal.Decimal):
        return _as_json(float(value))
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _as_json(item) for name, item in value.items()}
    return value


def _not_utf8(number: int, text: str) -> Row | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        byte = ord(text[error.start]) & 0xFF
        position = f"byte 0x{byte:02x} at character {error.start + 1}"
        return Row(number, _clean(text), "malformed_line", f"not UTF-8: {position}; save the file as UTF-8")
    return None


def _clean(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
