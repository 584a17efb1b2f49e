"""`vsearch models compare`: ranks the same judged queries with two models, and says which ranks better."""

import argparse
from typing import TYPE_CHECKING

from vsearch_lib.cli.lake import lake_of
from vsearch_lib.run.arguments import Commands, add_setting_arguments, settings_of
from vsearch_lib.terminal import say

if TYPE_CHECKING:
    from vsearch_lib.figures import Figure
    from vsearch_lib.report.page import Table


def add(actions: Commands) -> None:
    """Register the action among those of `vsearch models`."""
    purpose = "rank the same judged queries with two models, of any recipes, and say which ranks better"
    compare = actions.add_parser("compare", help=purpose, description=purpose)
    compare.add_argument("version", metavar="A")
    compare.add_argument("other", metavar="B")
    add_setting_arguments(compare)
    compare.set_defaults(call=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    models_uri = settings_of(arguments).models.uri
    from vsearch_lib.models.registry import encoder_card

    new, other = (encoder_card(models_uri, version) for version in (arguments.version, arguments.other))
    with lake_of(arguments, "models") as (lake, settings):
        from vsearch_lib.context import StepContext
        from vsearch_lib.measure.comparison.compared import GAIN, compare_on_judged_queries, verdict
        from vsearch_lib.report.text import as_text

        figures = compare_on_judged_queries(StepContext(settings, lake, lake.run_id), new, other)
        between = f"{new.version} and {other.version}"
        if not figures:
            say(f"{between}: too few queries: no query of the test split is judged (vsearch label next)")
            return
        for line in as_text(_table(figures, new.version, other.version)).splitlines():
            say(line)
        (gain,) = (figure for figure in figures if figure.metric == GAIN)
        needed = settings.gate.min_compared_queries
        say(f"difference in nDCG@10: {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}) on {gain.n} queries")
        say(_outcome(verdict(gain, min_queries=needed), new.version, other.version, needed))


def _table(figures: "list[Figure]", *versions: str) -> "Table":
    from vsearch_lib.measure.offline.ranking import RANKING_FIGURES
    from vsearch_lib.report.page import Table

    value = {(figure.metric, figure.subject): figure.value for figure in figures}
    rows = [
        (version, *(f"{value[metric, f'model {version}']:.3f}" for metric in RANKING_FIGURES)) for version in versions
    ]
    return Table(("model", "nDCG@10", "MRR", "mAP"), rows)


def _outcome(verdict: str, version: str, other: str, needed: int) -> str:
    if verdict in ("better", "worse"):
        return f"{version} is {verdict} than {other}"
    reason = f": at least gate.min_compared_queries = {needed} are needed" if verdict == "too few queries" else ""
    return f"{version} and {other}: {verdict}{reason}"
