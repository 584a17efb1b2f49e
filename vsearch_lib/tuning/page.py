"""The page of a tuning: tables, and recall against latency as SVG; it loads nothing."""

from collections.abc import Sequence

from vsearch_lib.report.environment import page_environment
from vsearch_lib.report.page import Table
from vsearch_lib.tuning.plots import HEIGHT, WIDTH, Plot

# Colours that are different to people who cannot see red or green (Okabe and Ito).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "currentColor", "#8a8a8a")


def render(title: str, facts: Sequence[str], tables: Sequence[Table], plots: Sequence[Plot]) -> str:
    """Return the page as HTML; `facts` are sentences below its title."""
    template = page_environment("vsearch_lib.tuning").get_template("tuning.html.j2")
    return template.render(
        title=title, facts=facts, tables=tables, plots=plots, colours=_COLOURS, width=WIDTH, height=HEIGHT
    )
