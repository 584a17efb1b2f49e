"""`vsearch report`: everything that was measured, as one page or as Markdown."""

import argparse
from pathlib import Path

from vsearch_lib.cli.lake import lake_of
from vsearch_lib.run.arguments import Commands, add_setting_arguments, check_output
from vsearch_lib.run_ids import version_of
from vsearch_lib.terminal import say


def add(commands: Commands) -> None:
    """Register the command."""
    purpose = "write everything that was measured as one page with pictures, or as Markdown"
    report = commands.add_parser("report", help=purpose, description=purpose)
    report.add_argument("--out", metavar="FILE", help="where to write it (default: a new page in reports.uri)")
    report.add_argument(
        "--markdown", action="store_true", help="write Markdown without pictures; print it without --out"
    )
    add_setting_arguments(report)
    report.set_defaults(call=_report)


def _report(arguments: argparse.Namespace) -> None:
    out = Path(arguments.out) if arguments.out else None
    if out:
        check_output("--out", out)
    with lake_of(arguments, "report") as (lake, settings):
        from vsearch_lib.measure.report.report import TITLE, report
        from vsearch_lib.report.markdown import as_markdown
        from vsearch_lib.report.page import render_sections
        from vsearch_lib.storage import open_store

        facts, sections = report(lake, settings, pictures=not arguments.markdown)
        draw = as_markdown if arguments.markdown else render_sections
        content = draw(TITLE, facts, sections)
        if out:
            out.write_text(content, encoding="utf-8")
            say(f"report: {out}")
        elif arguments.markdown:
            print(content, end="")
        else:
            name = f"report-{version_of(lake.run_id)}.html"
            open_store(settings.reports.uri).write_new(name, content.encode())
            say(f"report: {settings.reports.uri}/{name}")
