"""`vsearch models compare`: ranks the same queries with two models, and says which ranks better."""

import argparse
from typing import TYPE_CHECKING

from vsearch_lib.cli.lake import lake_of
from vsearch_lib.run.arguments import Commands, add_setting_arguments, settings_of
from vsearch_lib.terminal import say

if TYPE_CHECKING:
    from vsearch_lib.measure.comparison.evidence import Evidence
    from vsearch_lib.report.page import Table


def add(actions: Commands) -> None:
    """Register the action among those of `vsearch models`."""
    purpose = "rank the same queries with two models, of any recipes, and say which ranks better"
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
        from vsearch_lib.measure.comparison.compared import compare
        from vsearch_lib.report.text import as_text

        comparison = compare(StepContext(settings, lake, lake.run_id), new, other)
        if not comparison.evidence:
            say(f"{new.version} and {other.version} cannot be compared: {comparison.missing}")
        for evidence in comparison.evidence:
            for line in as_text(_table(evidence, new.version, other.version)).splitlines():
                say(line)
            gain = evidence.gain
            difference = f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
            say(f"{evidence.kind}, {gain.n} queries: a difference of {difference}: {evidence.outcome}")


def _table(evidence: "Evidence", *versions: str) -> "Table":
    from vsearch_lib.report.page import Table

    value = {(figure.metric, figure.subject): figure.value for figure in evidence.figures}
    metrics = list(
        dict.fromkeys(figure.metric for figure in evidence.figures if figure.subject == f"model {versions[0]}")
    )
    rows = [(version, *(f"{value[metric, f'model {version}']:.3f}" for metric in metrics)) for version in versions]
    return Table(("model", *metrics), rows)
