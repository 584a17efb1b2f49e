"""Runs the same steps without Airflow, in the jobs environment, and prints the content of tables and index.

python by_hand.py model|content|DAY... --set section.key=value...
"""

import argparse
import hashlib
import json
from datetime import date

import numpy as np

from vsearch_lib.config import Settings, load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.encoder.network import untrained
from vsearch_lib.lake import Lake, table_names
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.run.bodies import body_of
from vsearch_lib.run_ids import new_run_id
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.spark.session import start_session
from vsearch_lib.steps import GRAPHS, in_order

IGNORED = {"quarantine": ["run", "first_seen"], "embeddings": ["vector"]}  # a vector's last bits depend on its batch


def make_model(settings: Settings) -> None:
    recipe = recipe_of(settings)
    encoder = untrained(recipe.backbone, dimension=recipe.dimension, seed=1)
    register(settings.models.uri, encoder, version="m1", recipe=recipe, run_id="by-hand")


def ingest(settings: Settings, days: list[date]) -> None:
    """Ingest the days one after the other, and publish an index after each."""
    spark = start_session(settings, "by hand")
    for day in days:
        run_id = new_run_id()
        lake = Lake(spark, settings.lake.uri, run_id)
        job = StepContext(settings=settings, lake=lake, run_id=run_id, dates=(day,))
        for step in [*in_order(GRAPHS["ingest"]), *in_order(GRAPHS["refresh_index"])]:
            body_of(step.name)(job)


def content(settings: Settings) -> dict[str, object]:
    """Return a count and a hash of each table's rows, and the answers of the index to every picture."""
    lake = Lake(start_session(settings, "content"), settings.lake.uri, "content")
    result: dict[str, object] = {}
    for table in sorted(set(table_names()) - {"metrics"}):
        rows = sorted(lake.read(table).drop(*IGNORED.get(table, [])).toJSON().collect())
        result[table] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    vectors = {row["image_id"]: row["vector"] for row in lake.read("embeddings").collect()}
    searcher = Searcher.open(settings.index.uri, cache=settings.cache)
    hits = searcher.search(np.array([vectors[name] for name in sorted(vectors)]), 5, nprobe=4096, shortlist=4096)
    names = [[answer["image_id"] for answer in searcher.describe(ids[ids >= 0])] for ids in hits.ids]
    result["answers"] = dict(zip(sorted(vectors), names, strict=True))
    return result


parser = argparse.ArgumentParser()
parser.add_argument("what", nargs="+")
parser.add_argument("--set", dest="overrides", action="append", default=[])
parsed = parser.parse_args()
chosen = load_settings("demo", parsed.overrides)
if parsed.what == ["model"]:
    make_model(chosen)
elif parsed.what == ["content"]:
    print(json.dumps(content(chosen)))
else:
    ingest(chosen, [date.fromisoformat(day) for day in parsed.what])
