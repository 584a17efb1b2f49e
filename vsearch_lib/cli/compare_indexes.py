"""`vsearch index compare`: asks two versions of the index, or one at two operating points, the same queries."""

import argparse
import re
from typing import TYPE_CHECKING

from vsearch_lib.cli.comparison import add_page_argument, check_page, show
from vsearch_lib.cli.lake import lake_of
from vsearch_lib.errors import UsageError
from vsearch_lib.run.arguments import Commands, add_setting_arguments, settings_of
from vsearch_lib.terminal import say

if TYPE_CHECKING:
    from vsearch_lib.config import Settings
    from vsearch_lib.measure.comparison.indexes import Point

_SERVED = "served"
_POINT = re.compile(r"(?P<version>[^:]+)(:(?P<nprobe>[1-9]\d*),(?P<shortlist>[1-9]\d*))?")


def add(actions: Commands) -> None:
    """Register the action among those of `vsearch index`."""
    purpose = "ask two versions, or one at two operating points, the same queries, and say which answers better"
    compare = actions.add_parser("compare", help=purpose, description=purpose)
    for name in ("A", "B"):
        compare.add_argument(
            name.lower(),
            metavar=name,
            help="a version, or served; VERSION:NPROBE,SHORTLIST is the version at that operating point",
        )
    add_page_argument(compare)
    add_setting_arguments(compare)
    compare.set_defaults(call=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    check_page(arguments)
    new, used = (_point(settings, name) for name in (arguments.a, arguments.b))
    with lake_of(arguments, "index") as (lake, _):
        from vsearch_lib.context import StepContext
        from vsearch_lib.measure.comparison.indexes import compare_indexes

        comparison = compare_indexes(StepContext(settings, lake, lake.run_id), new, used)
        if not comparison.evidence:
            say(f"{new.name} and {used.name} cannot be compared: {comparison.missing}")
        show(comparison, lake, settings, html=arguments.html)


def _point(settings: "Settings", name: str) -> "Point":
    """Open what `name` names.

    Raises:
        UsageError: it is no version, or no operating point.
    """
    parts = _POINT.fullmatch(name)
    if parts is None:
        raise UsageError(f"{name}: give a version, or VERSION:NPROBE,SHORTLIST as in {_SERVED}:8,200")
    from vsearch_lib.measure.comparison.indexes import Point
    from vsearch_lib.publishing.retention import known_version
    from vsearch_lib.search.searcher import Searcher
    from vsearch_lib.storage import open_store

    store = open_store(settings.index.uri)
    manifest = known_version(store, None if parts["version"] == _SERVED else parts["version"])
    searcher = Searcher(store, manifest, cache=settings.cache)
    at = name.removeprefix(parts["version"])
    nprobe, shortlist = (int(parts[key]) if parts[key] else None for key in ("nprobe", "shortlist"))
    return Point(f"{manifest.version}{at}", searcher, nprobe, shortlist)
