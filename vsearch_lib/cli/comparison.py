"""Prints a comparison of two models or two indexes, and writes its page; both commands of that name use it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vsearch_lib.run.arguments import check_output
from vsearch_lib.terminal import say

if TYPE_CHECKING:
    from vsearch_lib.config import Settings
    from vsearch_lib.lake import Lake
    from vsearch_lib.measure.comparison.compared import Comparison


def add_page_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option of both commands."""
    parser.add_argument(
        "--html",
        metavar="OUT",
        help="write a page with slices and the queries that moved most, and beside it the figures of each query",
    )


def check_page(arguments: argparse.Namespace) -> None:
    """Check that the page can be written, before the work starts.

    Raises:
        UsageError: it cannot.
    """
    if arguments.html:
        check_output("--html", Path(arguments.html))


def show(comparison: "Comparison", lake: "Lake", settings: "Settings", *, html: str | None) -> None:
    """Print each kind of evidence; with `html`, write the page there and the figures of each query beside it."""
    from vsearch_lib.measure.comparison.by_slice import gains_by_slice
    from vsearch_lib.measure.comparison.page import comparison_page, evidence_table, values_file
    from vsearch_lib.report.text import as_text

    for evidence in comparison.evidence:
        for line in as_text(evidence_table(evidence)).splitlines():
            say(line)
    if html and comparison.evidence:
        page = Path(html)
        by_slice = gains_by_slice(lake, settings, comparison.evidence[0])
        page.write_text(comparison_page(lake, comparison.evidence, by_slice), encoding="utf-8")
        queries = page.with_suffix(".parquet")
        queries.write_bytes(values_file(comparison.evidence))
        say(f"page: {page}; figures of each query: {queries}")
