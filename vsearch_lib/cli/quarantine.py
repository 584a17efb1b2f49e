"""`vsearch quarantine`: what was refused on its way in, and why; and taking it in again."""

import argparse

from vsearch_lib.cli.groups import Commands, open_lake
from vsearch_lib.run.arguments import add_setting_arguments, count
from vsearch_lib.terminal import say

REFUSED_FROM = ("images", "users", "interactions", "judgements", "embeddings")


def register(commands: Commands) -> None:
    """Add the command and its actions."""
    quarantine = commands.add_parser("quarantine", help="what was refused on its way in, and why")
    actions = quarantine.add_subparsers(required=True, metavar="ACTION", dest="action")
    shown = actions.add_parser("list", help="count and list what is refused", description="Count and list it.")
    shown.add_argument("--table", choices=REFUSED_FROM, help="only what was going there")
    shown.add_argument("--reason", metavar="CODE", help="only this code of docs/quarantine.md")
    shown.add_argument("-n", type=count, default=20, help="how many items to list (default: 20)")
    shown.set_defaults(call=_list)
    again = actions.add_parser("retry", help="take in again what is refused, and nothing else", description="Retry it.")
    again.add_argument("--table", choices=REFUSED_FROM, help="only what was going there")
    again.set_defaults(call=_retry)
    for action in (shown, again):
        add_setting_arguments(action)


def _list(arguments: argparse.Namespace) -> None:
    from vsearch_lib.quarantine.listing import as_text, listed

    with open_lake(arguments, "quarantine") as (lake, _):
        print(as_text(listed(lake, table=arguments.table, reason=arguments.reason), limit=arguments.n))


def _retry(arguments: argparse.Namespace) -> None:
    from vsearch_lib.quarantine.listing import listed
    from vsearch_lib.run.retry import retry

    with open_lake(arguments, "quarantine") as (lake, settings):
        rows = listed(lake, table=arguments.table, reason=None).select("table").distinct().collect()
        tables = sorted({row["table"] for row in rows} & set(REFUSED_FROM))
        for line in retry(lake, settings, tables) if tables else ["nothing is refused: there is nothing to retry"]:
            say(line)
