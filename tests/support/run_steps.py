"""Runs steps one after the other in one Spark session: `python -m tests.support.run_steps STEP… --set key=value…`."""

import sys
import time

from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.lake import Lake
from vsearch_lib.run.bodies import body_of
from vsearch_lib.spark.session import spark_session


def main(arguments: list[str]) -> None:
    at = arguments.index("--set")
    settings = load_settings("demo", arguments[at + 1 :])
    with spark_session(settings, "steps") as spark:
        context = StepContext(settings, Lake(spark, settings.lake.uri, "run"), "run", say=print)
        for step in arguments[:at]:
            began = time.monotonic()
            body_of(step)(context)
            print(f"{step}: {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
