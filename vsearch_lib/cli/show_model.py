"""`vsearch models show`: prints what is known of a model, and writes it as a page."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vsearch_lib.cli.lake import lake_of
from vsearch_lib.run.arguments import Commands, add_setting_arguments, check_output, settings_of
from vsearch_lib.terminal import say

if TYPE_CHECKING:
    from vsearch_lib.models.registry import Card
    from vsearch_lib.report.charts import Chart
    from vsearch_lib.report.page import Table


def add(actions: Commands) -> None:
    """Register the action among those of `vsearch models`."""
    purpose = "show what a model was made from, its training and its figures"
    show = actions.add_parser("show", help=purpose, description=purpose)
    show.add_argument("version")
    show.add_argument("--html", metavar="FILE", help="write it as a page too")
    add_setting_arguments(show)
    show.set_defaults(call=_show)


def _show(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    if arguments.html:
        check_output("--html", Path(arguments.html))
    from vsearch_lib.models.promotion import version_in_use
    from vsearch_lib.models.record import record_charts, record_tables, subject_of
    from vsearch_lib.models.registry import encoder_card

    card = encoder_card(settings.models.uri, arguments.version)
    with lake_of(arguments, "models") as (lake, _):
        from vsearch_lib.lake.metrics import newest_figures

        figures = newest_figures(lake, subject_of(card))
    tables = record_tables(card, figures, is_in_use=card.version == version_in_use(settings))
    charts = record_charts(card)
    _print(tables, charts)
    if arguments.html:
        _write(Path(arguments.html), card, tables, charts)


def _print(tables: "list[Table]", charts: "list[Chart]") -> None:
    from vsearch_lib.report.text import as_text, chart_as_text

    for line in "\n\n".join([*map(as_text, tables), *map(chart_as_text, charts)]).splitlines():
        say(line)


def _write(out: Path, card: "Card", tables: "list[Table]", charts: "list[Chart]") -> None:
    from vsearch_lib.report.page import render

    subtitle = f"{card.recipe.backbone}, {card.dimension} dimensions"
    out.write_text(render(f"Model {card.version}", subtitle, tables, [], charts), encoding="utf-8")
    say(f"page: {out}")
