"""The page of a tuning: tables, and recall against latency drawn as SVG; nothing is loaded from anywhere."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader

from vsearch_lib.tuning.plots import HEIGHT, WIDTH, Plot
from vsearch_lib.tuning.tables import Table

# Colours that are told apart without red and green (Okabe and Ito).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a8a8a")


def render(title: str, facts: Sequence[str], tables: Sequence[Table], plots: Sequence[Plot]) -> str:
    """Return the page as HTML; `facts` are sentences that stand below its title."""
    environment = Environment(
        loader=PackageLoader("vsearch_lib.tuning"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.get_template("page.html.j2")
    return template.render(
        title=title, facts=facts, tables=tables, plots=plots, colours=_COLOURS, width=WIDTH, height=HEIGHT
    )
