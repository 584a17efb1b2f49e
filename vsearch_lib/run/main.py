"""The command line of one step, as spark-submit runs it."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import NoReturn

from vsearch_lib.context import StepContext
from vsearch_lib.lake import Lake
from vsearch_lib.lake.metrics import record
from vsearch_lib.run.arguments import Parser, add_common_arguments, dates_of, run_id_of, settings_of
from vsearch_lib.run.bodies import Body
from vsearch_lib.run.exit_codes import exit_code
from vsearch_lib.run.trace import Trace
from vsearch_lib.spark.session import spark_session
from vsearch_lib.steps import STEPS
from vsearch_lib.terminal import say
from vsearch_lib.ticker import every

_PARENT_POLL_SECONDS = 1.0  # between checks whether spark-submit still runs


def main(body: Body, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a step from its command line, and exit with the code that says how it ended."""
    sys.exit(exit_code(lambda: _run(body, arguments)))


def _run(body: Body, arguments: Sequence[str] | None) -> None:
    parser = Parser(description=body.__doc__)
    add_common_arguments(parser)
    switches = fields(STEPS[body.__name__].options)
    for switch in switches:
        parser.add_argument(f"--{switch.name}", action="store_true", help=switch.metadata["help"])
    parsed = parser.parse_args(arguments)
    settings, dates, run_id = settings_of(parsed), dates_of(parsed), run_id_of(parsed)
    began = time.monotonic()
    with spark_session(settings, f"vsearch {body.__name__}") as spark:
        context = StepContext(settings, Lake(spark, settings.lake.uri, run_id), run_id, dates)
        with every(_PARENT_POLL_SECONDS, _exit_with_parent(os.getppid())):
            figures = body(context, **{switch.name: getattr(parsed, switch.name) for switch in switches})
            record(context.lake, figures)
    trace = Trace.of(context, body.__name__, figures, seconds=round(time.monotonic() - began, 1))
    say(trace.line())
    trace.write()


def _exit_with_parent(parent: int) -> Callable[[], None]:
    """Return a function that ends this process if `parent` was spark-submit and has gone.

    A killed spark-submit leaves this process running, and the next attempt would then run beside it.
    """

    def exit_if_orphaned() -> None:
        if "PYSPARK_GATEWAY_PORT" in os.environ and os.getppid() != parent:
            os._exit(1)

    return exit_if_orphaned
