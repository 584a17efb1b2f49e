"""The message of a malformed line names the wrong field and its valid form."""

import pytest

from vsearch_lib.landing.causes import cause, cause_unknown, with_causes

FIELDS = "event_id string, position int, dwell_ms bigint, latitude double, ok boolean, occurred_at timestamp"
TYPES = {
    "event_id": "string", "position": "int", "dwell_ms": "bigint", "latitude": "double", "ok": "boolean",
    "occurred_at": "timestamp",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"position": "three"}', 'position: "three" is not a whole number'),
        ('{"dwell_ms": 1500.5}', "dwell_ms: 1500.5 is not a whole number"),
        ('{"position": 2147483648}', "position: 2147483648 is too large"),
        (f'{{"position": {"9" * 400}}}', f"position: {'9' * 40} is too large"),
        ('{"position": true}', "position: true is not a whole number"),
        ('{"latitude": "north"}', 'latitude: "north" is not a number'),
        ('{"ok": 1}', "ok: 1 is not true or false"),
        ('{"occurred_at": 1793527200}', "occurred_at: 1793527200 is a number; write it as 2026-11-01T10:00:00Z"),
        (
            '{"occurred_at": "noon", "position": 1.0}',
            'occurred_at: "noon" is not a time; write it as 2026-11-01T10:00:00Z',
        ),
        ('{"occurred_at": "2026-11-01T10:00:00Z", "position": []}', "position: [] is not a whole number"),
        ("[1]", "a list, not a JSON object: write an object a line"),
        ("3", "a number, not a JSON object: write an object a line"),
        ("{,}", "not JSON: expecting property name enclosed in double quotes at character 2"),
        ("[" * 100_000, "not JSON: it is nested too deeply"),
    ],
)
def test_the_cause_names_the_field(text, message):
    assert cause(text, TYPES) == message


def test_a_line_that_fits_has_no_cause():
    assert cause('{"event_id": "a", "position": 1}', TYPES) is None


def test_only_messages_without_a_cause_are_replaced(spark):
    unknown = cause_unknown("interactions")
    rows = [
        ("malformed_line", unknown, '{"ok": 1}'),
        ("malformed_line", "a cause", "{"),
        ("missing_field", "x", "{}"),
    ]
    refused = spark.createDataFrame(
        [*rows, ("malformed_line", unknown, "{}")], "reason string, message string, text string"
    )
    assert [row["message"] for row in with_causes(refused, FIELDS).collect()] == [
        "ok: 1 is not true or false", "a cause", "x", unknown
    ]  # fmt: skip
