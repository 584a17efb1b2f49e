"""The number of landed items is the sum of the accepted, unchanged, duplicate, refused and passed-over ones."""

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import functions as F

from vsearch_lib.landing.account import Account, count_refused

COUNT = st.integers(0, 50)


@given(st.lists(COUNT, min_size=4, max_size=4), st.dictionaries(st.sampled_from(["system", "video"]), COUNT))
def test_the_counts_add_up(counts, passed_over):
    accepted, unchanged, _, refused = counts
    read, keys = sum(counts), accepted + unchanged
    account = Account("images", read, refused, keys, accepted, passed_over)
    figures = {(figure.metric, figure.slice): figure.value for figure in account.figures()}
    parts = ("accepted", "unchanged", "duplicate", "refused", "passed_over")
    assert figures["images_landed", "all"] == sum(figures[f"images_{part}", "all"] for part in parts)
    assert {kind: figures["images_passed_over", kind] for kind in passed_over} == passed_over


def test_the_line_of_an_account_has_all_counts_and_the_kinds_of_clutter():
    account = Account("images", 12, 1, 10, 9, {"video": 1, "system": 2})
    assert account.line() == (
        "images: 15 landed = 9 accepted + 1 unchanged + 1 duplicate + 1 refused + 3 passed over (system: 2, video: 1)"
    )


def test_erased_and_unreadable_items_do_not_count_against_the_source(spark):
    reasons = [None, None, None, "erased", "unreadable", "malformed_line", "no_records"]
    rows = spark.createDataFrame(
        [(reason, f"key {n % 2}") for n, reason in enumerate(reasons)], "reason string, key string"
    )
    counted = count_refused(rows, landed=F.count("*"), key="key")
    assert (counted.read, counted.refused, counted.keys, counted.empty) == (6, 3, 2, 1)
    assert (counted.judged, counted.at_fault) == (4, 1)


def test_a_source_whose_items_are_all_unreadable_is_at_fault(spark):
    rows = spark.createDataFrame([("unreadable",)] * 2, "reason string")
    counted = count_refused(rows, landed=F.count("*"))
    assert (counted.judged, counted.at_fault) == (2, 2)
