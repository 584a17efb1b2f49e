"""The table of refused items has, for each source, the items that the last run over the source refused."""

from itertools import count

import pytest

from vsearch_lib.context import StepContext
from vsearch_lib.quarantine.table import replace_refusals, sources_with_refusals

REFUSED = "source string, line bigint, reason string, message string, payload string"


@pytest.fixture
def nights(spark, settings, lake):
    """Run several nights: each has the sources that it read, and its refused items (source, line, reason)."""
    numbers = count(1)

    def night(table: str, read: list[str], refused: list[tuple[str, int, str]]) -> StepContext:
        context = StepContext(settings=settings, lake=lake, run_id=f"run-{next(numbers)}")
        rows = [(*item, "message", "payload") for item in refused]
        refusals = spark.createDataFrame(rows, REFUSED) if rows else None
        replace_refusals(
            context, table, refusals, spark.createDataFrame([(source,) for source in read], "source string")
        )
        return context

    return night


def listed(lake) -> set[tuple[str, ...]]:
    return {(r["run"], r["table"], r["source"], r["line"], r["reason"]) for r in lake.read("quarantine").collect()}


def test_repaired_items_leave_the_list_and_other_items_keep_their_first_run(nights, lake):
    nights("users", ["a", "b"], [("a", 1, "malformed_line"), ("a", 2, "missing_field"), ("b", 1, "malformed_line")])
    nights("judgements", ["b"], [("b", 9, "missing_field")])
    context = nights("users", ["a"], [("a", 2, "missing_field"), ("a", 3, "missing_field")])
    assert listed(lake) == {
        ("run-1", "users", "a", 2, "missing_field"),
        ("run-3", "users", "a", 3, "missing_field"),
        ("run-1", "users", "b", 1, "malformed_line"),
        ("run-2", "judgements", "b", 9, "missing_field"),
    }
    assert sources_with_refusals(context, "users") == ["a", "b"]
    nights("users", ["a", "b"], [])
    assert listed(lake) == {("run-2", "judgements", "b", 9, "missing_field")}


def test_an_item_that_is_refused_twice_is_listed_once(nights, lake):
    nights("users", ["a"], [("a", 1, "malformed_line"), ("a", 1, "malformed_line")])
    assert len(listed(lake)) == lake.read("quarantine").count() == 1
