"""Times the ingest of a million interactions beside Spark, which reads the same JSON and writes Parquet.

    .venv/bin/python benchmarks/ingest_interactions.py

The plain side is `spark.read.schema(…).json(…).write.parquet(…)`: no check, no key, no second reading. Both run in one
session, in turns, each into its own folder.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.lake import Lake
from vsearch_lib.records.interactions import INTERACTIONS
from vsearch_lib.run.bodies import body_of
from vsearch_lib.spark.session import start_session

EVENTS = 1_000_000
FILES = 10
DAY = date(2024, 5, 6)
ROUNDS = 5
WARMING_UP = 3  # turns before the timed ones, in which the JVM compiles the job


def event(rng: random.Random, number: int, day: date) -> dict[str, object]:
    """Return an impression with all its fields."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=rng.random() * 86_400)
    return {
        "event_id": f"{day:%Y%m%d}-{number:09d}",
        "user_id": f"user-{rng.randrange(50_000):05d}",
        "query_image_id": f"img-{rng.randrange(1_000_000):06d}",
        "displayed_image_id": f"img-{rng.randrange(1_000_000):06d}",
        "position": rng.randrange(1, 25),
        "type": "impression",
        "latitude": rng.uniform(-60, 60),
        "longitude": rng.uniform(-180, 180),
        "occurred_at": moment.isoformat(),
        "request_id": f"req-{number // 20:08d}",
    }


def land(folder: Path, day: date, events: int, files: int, rng: random.Random) -> None:
    """Write a day's partition of interactions."""
    partition = folder / "interactions" / f"date={day}"
    partition.mkdir(parents=True)
    for file in range(files):
        with (partition / f"{file:03d}.jsonl").open("w") as sink:
            for number in range(events * file // files, events * (file + 1) // files):
                sink.write(json.dumps(event(rng, number, day)) + "\n")


def seconds(action: Callable[..., object], *arguments: object) -> float:
    """Return how long `action` takes, in seconds."""
    start = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - start


def main(events: int) -> None:
    """Print the seconds of each round of both sides, and the median of their ratios."""
    with tempfile.TemporaryDirectory(prefix="vsearch-bench-") as name:
        folder = Path(name)
        settings = load_settings("local", [f"var={folder}"])
        land(folder / "landing", DAY, events, FILES, random.Random(17))
        spark = start_session(settings, "bench")
        times: dict[str, list[float]] = {"plain": [], "job": [], "job again": []}
        for turn in range(-WARMING_UP, ROUNDS):
            lake = Lake(spark, str(folder / f"lake-{turn}"), f"run-{turn}")
            job = StepContext(settings=settings, lake=lake, run_id=f"run-{turn}", say=lambda _: None)
            landed = spark.read.schema(INTERACTIONS.fields).json(str(folder / "landing" / "interactions"))
            times["plain"].append(seconds(landed.write.parquet, str(folder / f"plain-{turn}")))
            times["job"].append(seconds(body_of("ingest_interactions"), job))
            times["job again"].append(seconds(body_of("ingest_interactions"), job))
        times = {side: turns[WARMING_UP:] for side, turns in times.items()}
        for side, rounds in times.items():
            print(f"{side:10} {min(rounds):6.1f} s   {', '.join(f'{elapsed:.1f}' for elapsed in rounds)}")
        ratio = statistics.median(a / b for a, b in zip(times["job"], times["plain"], strict=True))
        print(f"{events} interactions: the job takes {ratio:.2f} times the plain side, median of {ROUNDS} turns")
        spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
