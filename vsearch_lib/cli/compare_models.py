"""`vsearch models compare`: ranks the same queries with two models, and says which ranks better."""

import argparse

from vsearch_lib.cli.comparison import add_page_argument, check_page, show
from vsearch_lib.cli.lake import lake_of
from vsearch_lib.run.arguments import Commands, add_setting_arguments, settings_of
from vsearch_lib.terminal import say


def add(actions: Commands) -> None:
    """Register the action among those of `vsearch models`."""
    purpose = "rank the same queries with two models, of any recipes, and say which ranks better"
    compare = actions.add_parser("compare", help=purpose, description=purpose)
    compare.add_argument("version", metavar="A")
    compare.add_argument("other", metavar="B")
    add_page_argument(compare)
    add_setting_arguments(compare)
    compare.set_defaults(call=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    models_uri = settings_of(arguments).models.uri
    check_page(arguments)
    from vsearch_lib.models.registry import encoder_card

    new, other = (encoder_card(models_uri, version) for version in (arguments.version, arguments.other))
    with lake_of(arguments, "models") as (lake, settings):
        from vsearch_lib.context import StepContext
        from vsearch_lib.measure.comparison.compared import compare

        comparison = compare(StepContext(settings, lake, lake.run_id), new, other)
        if not comparison.evidence:
            say(f"{new.version} and {other.version} cannot be compared: {comparison.missing}")
        show(comparison, lake, settings, html=arguments.html)
