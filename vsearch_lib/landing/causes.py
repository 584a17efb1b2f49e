"""The cause of a malformed line: which field is wrong, and what was expected. Only refused lines are examined."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

_BITS = {"int": 31, "bigint": 63}
_MOMENT = "write it as 2026-11-01T10:00:00Z"
_SHOWN = 40  # characters of a value in a message
_EXPECTED = {  # type → the values that it allows
    "int": "a whole number",
    "bigint": "a whole number",
    "double": "a number",
    "boolean": "true or false",
}


def with_causes(refused: DataFrame, fields: str) -> DataFrame:
    """Write the cause into `message` of each row of `refused` (reason, message, text) that does not fit `fields` (DDL).

    Only the message of `cause_unknown` is replaced: other messages state their cause already.
    """
    types = {field.name: field.dataType.simpleString() for field in cast(StructType, StructType.fromDDL(fields))}
    return refused.mapInArrow(_explainer(types), refused.schema)


def cause_unknown(what: str) -> str:
    """Return the message of a line that is not a record of `what`, until `with_causes` replaces it."""
    return f"not a JSON object with the fields of {what}"


def cause(text: str, types: Mapping[str, str]) -> str | None:
    """Return the cause of a malformed line, None if no cause is found.

    Args:
        types: field → its Spark type.
    """
    try:
        record = json.loads(text)
    except RecursionError:
        return "not JSON: it is nested too deeply"
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg.lower()} at character {error.colno}"
    except ValueError as error:
        return f"not JSON: {error}"
    if not isinstance(record, dict):
        kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(record), "a number")
        return f"{kind}, not a JSON object: write an object a line"
    # Spark may read any text as a time: times are named as the cause only if no other field is wrong.
    times_last = sorted(types.items(), key=lambda item: item[1] == "timestamp")
    wrong = (f"{name}: {problem}" for name, kind in times_last if (problem := _misfit(record.get(name), kind)))
    return next(wrong, None)


def _misfit(value: object, kind: str) -> str | None:
    if value is None or kind == "string":
        return None
    shown = json.dumps(value, ensure_ascii=False)[:_SHOWN]
    if kind == "timestamp":
        return f"{shown} is {'a number' if isinstance(value, int | float) else 'not a time'}; {_MOMENT}"
    if kind == "boolean":
        return None if isinstance(value, bool) else f"{shown} is not {_EXPECTED[kind]}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{shown} is not {_EXPECTED[kind]}"
    if kind in _BITS and isinstance(value, float) and not value.is_integer():
        return f"{shown} is not {_EXPECTED[kind]}"
    if kind in _BITS and abs(value) >= 2 ** _BITS[kind]:
        return f"{shown} is too large"
    return None


def _explainer(types: Mapping[str, str]) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def explain(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = zip(*(batch.column(name).to_pylist() for name in ("reason", "message", "text")), strict=True)
            messages = [_message(reason, message, text, types) for reason, message, text in rows]
            index = batch.schema.get_field_index("message")
            yield pa.RecordBatch.from_arrays(
                [pa.array(messages, pa.string()) if n == index else batch.column(n) for n in range(batch.num_columns)],
                schema=batch.schema,
            )

    return explain


def _message(reason: str, message: str | None, text: str | None, types: Mapping[str, str]) -> str | None:
    unexplained = reason == "malformed_line" and message is not None and message.startswith(cause_unknown(""))
    return (cause(text, types) if unexplained and text is not None else None) or message
