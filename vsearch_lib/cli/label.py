"""`vsearch label`: the pairs of pictures most worth a human look."""

import argparse
from typing import TYPE_CHECKING

from vsearch_lib.cli.lake import lake_of
from vsearch_lib.run.arguments import Commands, add_setting_arguments, count
from vsearch_lib.run_ids import new_run_id, version_of
from vsearch_lib.terminal import say

if TYPE_CHECKING:
    from vsearch_lib.examples.label_next import PairToLabel
    from vsearch_lib.lake import Lake


def add(commands: Commands) -> None:
    """Register the command."""
    label = commands.add_parser("label", help="choose pairs of pictures for people to score")
    actions = label.add_subparsers(required=True, metavar="ACTION", dest="action")
    purpose = "write the pairs most worth a human look, and a page that shows them"
    following = actions.add_parser("next", help=purpose, description=purpose)
    following.add_argument("--pairs", type=count, default=60, help="how many pairs to choose (default: 60)")
    following.set_defaults(call=_next)
    add_setting_arguments(following)


def _next(arguments: argparse.Namespace) -> None:
    with lake_of(arguments, "label") as (lake, settings):
        from vsearch_lib.examples.label_next import DISAGREE, RANDOM, UNSURE, landing_csv, pairs_to_label
        from vsearch_lib.storage import open_store

        pairs = pairs_to_label(lake, settings, pairs=arguments.pairs)
        folder = f"label-{version_of(new_run_id())}"
        store = open_store(settings.reports.uri)
        store.write_new(f"{folder}/judgements.csv", landing_csv(pairs).encode())
        store.write_new(f"{folder}/sheet.html", _sheet(lake, pairs).encode())
        counts = [f"{sum(pair.reason == reason for pair in pairs)} {reason}" for reason in (DISAGREE, UNSURE, RANDOM)]
        say(f"{len(pairs)} pairs to score: {', '.join(counts)}")
        say(f"{settings.reports.uri}/{folder}/sheet.html shows them")
        say(
            f"{settings.reports.uri}/{folder}/judgements.csv: fill in annotator and score, 0 (unrelated) to 5 (the "
            f"same thing), and put the file into {settings.landing.uri}/judgements/date=YYYY-MM-DD/"
        )


def _sheet(lake: "Lake", pairs: "list[PairToLabel]") -> str:
    """Return the page: each query with its candidates, which are numbered as the lines of judgements.csv."""
    from vsearch_lib.lake.pictures import stored_jpegs
    from vsearch_lib.report.page import Answer, Query, render

    jpegs = stored_jpegs(lake, sorted({name for pair in pairs for name in (pair.query_image_id, pair.image_id)}))
    answers: dict[str, list[Answer]] = {}
    for line, pair in enumerate(pairs, start=2):
        clicks = "" if pair.relevance is None else f", clicks say {pair.relevance:.2f}"
        caption = f"line {line}: {pair.reason}{clicks}"
        found = Answer(pair.image_id, jpegs.get(pair.image_id), pair.cosine, caption, None)
        answers.setdefault(pair.query_image_id, []).append(found)
    queries = [Query(name, jpegs[name], name, found) for name, found in answers.items() if name in jpegs]
    subtitle = "Score each picture for its query in judgements.csv, 0 (unrelated) to 5 (the same thing)."
    return render("What to score next", subtitle, [], queries)
