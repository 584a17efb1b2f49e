"""Retrains on the demo: with the catalogue's judgements and clicks, and with the scores of its judgements shuffled.

    .venv/bin/python benchmarks/retrain.py [VAR]

It draws 2,000 images (seed 7), and a first night makes a model without training. Then `vsearch run retrain` trains a
head, twice from this same start: with what people said, and with the scores of all pairs permuted whose query is not in
the test split, and without clicks. The script prints the gain in nDCG@10 on judged test queries, and what the commands
said. VAR (by default var/retrain) is a folder of its own, which must not exist yet.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from pyspark.sql import functions as F

from vsearch_lib.config import load_settings
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.lake import Lake
from vsearch_lib.spark.session import spark_session

IMAGES, SEED = 2000, 7
VSEARCH = (sys.executable, "-m", "vsearch_lib.cli")
SAID = re.compile(r"^(train_encoder|compare_models|vsearch): ")


def vsearch(*arguments: str) -> list[str]:
    """Run a command to its end; return the lines about models, and its exit code as the last line."""
    done = subprocess.run([*VSEARCH, *arguments], capture_output=True, text=True)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if SAID.match(line)]
    return [*lines, f"exit code {done.returncode}"]


def run(graph: str, var: Path, *overrides: str) -> list[str]:
    """Run a graph of steps on the demo's settings, in the folder `var`."""
    chosen = (f"var={var}", f"landing.uri={var.parent / 'landing'}", *overrides)
    return vsearch("run", graph, "--env", "demo", *(word for one in chosen for word in ("--set", one)))


def shuffle_judgements(var: Path) -> int:
    """Permute the scores of all judgements whose query is not in the test split; return how many these are."""
    settings = load_settings("demo", [f"var={var}"])
    with spark_session(settings, "shuffle") as spark:
        lake = Lake(spark, settings.lake.uri, "shuffle")
        tests = images_with_split(lake, settings).where("split = 'test'")
        tests = tests.select(F.col("image_id").alias("query_image_id"))
        rows = lake.read("judgements").join(tests, "query_image_id", "left_anti").toPandas()
        rows["score"] = np.random.default_rng(SEED).permutation(rows["score"].to_numpy())
        lake.upsert("judgements", spark.createDataFrame(rows, lake.read("judgements").schema))
    return len(rows)


def main(folder: Path) -> None:
    """Print what a first night and the two retrainings say."""
    if folder.exists():
        sys.exit(f"{folder} exists: remove it, or name another folder")
    true, shuffled = folder / "true", folder / "shuffled"
    vsearch("demo-data", str(folder / "landing"), "--images", str(IMAGES), "--seed", str(SEED))
    print("first night, without training", *run("nightly", true, "training.depth=none"), sep="\n  ")
    shutil.copytree(true, shuffled)
    print("retrain, with judgements and clicks", *run("retrain", true, "training.depth=head"), sep="\n  ")
    count = shuffle_judgements(shuffled)
    no_clicks = ("examples.mix.click=0", "examples.mix.cleaned_click=0", "examples.mix.co_click=0")
    said = run("retrain", shuffled, "training.depth=head", *no_clicks)
    print(f"retrain, with {count} shuffled scores and no clicks", *said, sep="\n  ")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "var/retrain").resolve())
