"""`vsearch search`: finds pictures like the one that the user gives."""

import argparse
import sys
from pathlib import Path

from vsearch_lib.run.arguments import (
    Commands,
    add_setting_arguments,
    check_output,
    count,
    crop,
    named_by_option,
    settings_of,
)
from vsearch_lib.terminal import printable, say


def add(commands: Commands) -> None:
    """Register the command."""
    search = commands.add_parser("search", help="find pictures like one you give")
    search.add_argument("--image", required=True, metavar="FILE", help="the picture to search with")
    search.add_argument("--crop", type=crop, metavar="X,Y,W,H", help="search with this part of it, in pixels")
    search.add_argument("-k", type=count, default=10, help="how many answers (default: 10)")
    search.add_argument("--json", action="store_true", help="print the answers as JSON")
    search.add_argument("--html", metavar="OUT", help="write the answers as a page with pictures")
    add_setting_arguments(search)
    search.set_defaults(call=_search)


def _search(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    if arguments.html:
        check_output("--html", Path(arguments.html))
    from vsearch_lib.serving.answer import answer_file, as_json, as_text, write_page
    from vsearch_lib.serving.lean import without_pandas

    with without_pandas(), named_by_option(image="--image", crop="--crop"):
        answers = answer_file(settings, Path(arguments.image), k=arguments.k, crop=arguments.crop)
    print(as_json(answers) if arguments.json else as_text(answers))
    if arguments.html:
        warning = write_page(settings, answers, Path(arguments.html))
        if warning:
            print(printable(f"vsearch: {warning}"), file=sys.stderr)
        if not arguments.json:
            say(f"page: {arguments.html}")
