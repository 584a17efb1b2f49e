"""`vsearch models tune`: tries settings of the training, and prints which of them do best on validation images."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vsearch_lib.cli.lake import lake_of
from vsearch_lib.config import load_settings
from vsearch_lib.run.arguments import Commands, add_setting_arguments, count, named_by_option, settings_of
from vsearch_lib.terminal import printable, say

if TYPE_CHECKING:
    from vsearch_lib.config import Settings
    from vsearch_lib.tuning.training.plan import Plan
    from vsearch_lib.tuning.training.results import Results


def add(actions: Commands) -> None:
    """Register the action among those of `vsearch models`."""
    purpose = "train with other settings, and print which do best on validation images; registers no model"
    tune = actions.add_parser("tune", help=purpose, description=purpose)
    tune.add_argument(
        "--try",
        dest="attempts",
        action="append",
        required=True,
        metavar="training.KEY=VALUES",
        help="values to try: a list 0,0.1,0.5 or a range 0:0.5 or 0.0001:0.01:log; repeat it for other settings",
    )
    tune.add_argument(
        "--trials", type=count, metavar="N", help="how many to try (default: all combinations of the lists)"
    )
    tune.add_argument("--snapshot", metavar="NAME", help="training examples to learn from (default: the newest)")
    add_setting_arguments(tune)
    tune.set_defaults(call=_tune)


def _tune(arguments: argparse.Namespace) -> None:
    planned = _plan(arguments)
    from rich.console import Console

    from vsearch_lib.context import StepContext
    from vsearch_lib.run.progress import StepProgress, progress_on
    from vsearch_lib.tuning.training.search import search

    trials = len(planned.points)
    with progress_on(Console()) as progress:
        display = StepProgress(progress)
        display.begin("starting Spark", 0, trials)
        with lake_of(arguments, "models tune") as (lake, settings), named_by_option(snapshot="--snapshot"):
            context = StepContext(settings, lake, lake.run_id, progress=display.advance, say=say)
            display.begin("fetching features", 0, trials)
            results = search(context, planned, snapshot=arguments.snapshot, begin=display.begin)
    print("\n".join(map(printable, results.text.splitlines())))
    if results.best.point:
        say(f"train with them: {_retrain_command(arguments, results)}")


def _plan(arguments: argparse.Namespace) -> "Plan":
    """Return the trials; all of their settings are checked here, before Spark starts."""
    settings_of(arguments)  # an invalid --set is reported as such, and not as a --try
    from vsearch_lib.tuning.training.plan import plan
    from vsearch_lib.tuning.training.space import parse_space

    def settings_with(overrides: Sequence[str]) -> "Settings":
        return load_settings(arguments.env, [*arguments.overrides, *overrides], images=arguments.images)

    with named_by_option(attempts="--try", override="--try", trials="--trials"):
        return plan(parse_space(arguments.attempts, settings_with), arguments.trials, settings_with)


def _retrain_command(arguments: argparse.Namespace, results: "Results") -> str:
    from vsearch_lib.tuning.training.space import overrides_of

    images = ["--images", arguments.images] if arguments.images else []
    overrides = [*arguments.overrides, *overrides_of(results.best.point)]
    chosen = [word for override in overrides for word in ("--set", override)]
    return shlex.join([sys.argv[0], "run", "retrain", "--env", arguments.env, *images, *chosen])
