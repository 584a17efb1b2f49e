"""`vsearch index tune`: what the published version, and other kinds of index, recall and cost on its own vectors."""

import argparse

from vsearch_lib.cli.groups import Commands
from vsearch_lib.config import Settings
from vsearch_lib.errors import UsageError
from vsearch_lib.run.arguments import add_setting_arguments, settings_of


def register(actions: Commands) -> None:
    """Add the action to `vsearch index`."""
    purpose = "measure the served version at other operating points, and other kinds of index beside it"
    parser = actions.add_parser("tune", help=purpose, description=purpose)
    parser.add_argument("--min-recall", type=float, metavar="R", help="recall@10 to reach (default: midway, gate to 1)")
    parser.add_argument("--sample", type=int, default=100_000, metavar="N", help="compare on N vectors; 0: no others")
    parser.add_argument("--adopt", action="store_true", help="publish the cheapest point that reaches it")
    add_setting_arguments(parser)
    parser.set_defaults(call=_tune)


def _tune(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    # Before faiss and the rest are imported: what is wrong with the options is said at once.
    min_recall = _min_recall(arguments, settings)
    from vsearch_lib.tuning.command import tune

    tune(settings, min_recall=min_recall, sample=arguments.sample, adopt=arguments.adopt)


def _min_recall(arguments: argparse.Namespace, settings: Settings) -> float:
    if arguments.sample < 0:
        raise UsageError(f"--sample {arguments.sample}: it is a number of vectors, 0 for none")
    index, gate = settings.index, settings.gate.min_recall_at_10
    if arguments.adopt and (index.nprobe or index.shortlist):
        raise UsageError("--adopt: the next build would go back to index.nprobe and index.shortlist; leave both null")
    if arguments.min_recall is None:
        # Half of what is left: queries that come are not those that were measured.
        return gate + (1 - gate) / 2
    if not 0 < arguments.min_recall <= 1:
        raise UsageError(f"--min-recall {arguments.min_recall:g}: a recall lies between 0 and 1")
    return float(arguments.min_recall)
