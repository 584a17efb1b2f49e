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
    moment,
    named_by_option,
    settings_of,
)
from vsearch_lib.terminal import printable, say

_OPTIONS = {"image": "--image", "image_id": "--image-id", "crop": "--crop", "like": "--like", "unlike": "--unlike"}


def add(commands: Commands) -> None:
    """Register the command."""
    search = commands.add_parser("search", help="find pictures like one you give")
    search.add_argument("--image", metavar="FILE", help="the picture to search with")
    search.add_argument("--image-id", metavar="ID", help="an image of the catalogue, in place of a picture")
    search.add_argument(
        "--crop",
        type=crop,
        metavar="X,Y,W,H",
        help="search with this part of it, in pixels, or fractions if all are ≤ 1",
    )
    search.add_argument("--like", action="append", default=[], metavar="ID", help="answers should look like this image")
    search.add_argument("--unlike", action="append", default=[], metavar="ID", help="answers should look different")
    search.add_argument("-k", type=count, default=10, help="how many answers (default: 10)")
    search.add_argument("--tag", dest="tags", action="append", default=[], help="answers have this tag; repeatable")
    search.add_argument("--owner", help="answers belong to this owner")
    search.add_argument("--after", type=moment, metavar="TIME", help="answers were uploaded then or later")
    search.add_argument("--before", type=moment, metavar="TIME", help="answers were uploaded earlier")
    search.add_argument("--user", help="who searches, and also sees their own private images")
    search.add_argument(
        "--sort", choices=("similarity", "newest"), default="similarity", help="the order of the answers"
    )
    search.add_argument("--expand", action="store_true", help="add the first answers to the query and ask again")
    search.add_argument("--copies", action="store_true", help="show the query itself and every copy")
    search.add_argument("--json", action="store_true", help="print the answers as JSON")
    search.add_argument("--html", metavar="OUT", help="write the answers as a page with pictures")
    add_setting_arguments(search)
    search.set_defaults(call=_search)


def _search(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    if arguments.html:
        check_output("--html", Path(arguments.html))
    from vsearch_lib.search.filter import Filter
    from vsearch_lib.serving.answer import as_json, as_text, find, write_page
    from vsearch_lib.serving.ask import Ask, Crop
    from vsearch_lib.serving.lean import without_pandas

    ask = Ask(
        image_id=arguments.image_id,
        crop=Crop(*arguments.crop) if arguments.crop else None,
        like=tuple(arguments.like),
        unlike=tuple(arguments.unlike),
        k=arguments.k,
        wanted=Filter(arguments.owner, tuple(arguments.tags), arguments.after, arguments.before, arguments.user),
        sort=arguments.sort,
        copies=arguments.copies,
        expand=arguments.expand,
    )
    with without_pandas(), named_by_option(**_OPTIONS):
        found = find(settings, ask, file=Path(arguments.image) if arguments.image is not None else None)
    print(as_json(found) if arguments.json else as_text(found.answers))
    if found.answers.note and not arguments.json:
        print(printable(f"vsearch: {found.answers.note}"), file=sys.stderr)
    if arguments.html:
        warning = write_page(settings, found, Path(arguments.html))
        if warning:
            print(printable(f"vsearch: {warning}"), file=sys.stderr)
        if not arguments.json:
            say(f"page: {arguments.html}")
