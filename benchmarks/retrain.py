"""Retrains on the demo: with the catalogue's judgements and clicks, and with the scores of its judgements shuffled.

    .venv/bin/python benchmarks/retrain.py [VAR]

It draws 2,000 images (seed 7), and a first night makes a model without training. Then `vsearch run retrain` trains a
head, three times from this same start: with what people said; with the scores of pairs of training images permuted; and
with those of all pairs without a test image permuted, so that validation is wrong too. The last two are without clicks.
It prints the gain in nDCG@10 on judged test queries with its interval, and all that the commands said. VAR (by default
var/retrain) is a folder of its own, which must not exist yet.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
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


def shuffle_judgements(var: Path, splits: Sequence[str]) -> int:
    """Permute the scores of the judgements whose images are in `splits`; return how many these are."""
    settings = load_settings("demo", [f"var={var}"])
    with spark_session(settings, "shuffle") as spark:
        lake = Lake(spark, settings.lake.uri, "shuffle")
        images = images_with_split(lake, settings).where(F.col("split").isin(*splits)).select("image_id")
        judgements = lake.read("judgements")
        chosen = judgements.join(images, "image_id", "left_semi")
        queries = images.withColumnRenamed("image_id", "query_image_id")
        rows = chosen.join(queries, "query_image_id", "left_semi").select(judgements.columns).toPandas()
        rows = rows.sort_values(["query_image_id", "image_id", "annotator"])  # the seed is one permutation
        rows["score"] = np.random.default_rng(SEED).permutation(rows["score"].to_numpy())
        lake.upsert("judgements", spark.createDataFrame(rows, judgements.schema))
    return len(rows)


def main(folder: Path) -> None:
    """Print what a first night and the three retrainings say."""
    if folder.exists():
        sys.exit(f"{folder} exists: remove it, or name another folder")
    start = folder / "start"
    vsearch("demo-data", str(folder / "landing"), "--images", str(IMAGES), "--seed", str(SEED))
    print("first night, without training", *run("nightly", start, "training.depth=none"), sep="\n  ", flush=True)
    no_clicks = ("examples.mix.click=0", "examples.mix.cleaned_click=0", "examples.mix.co_click=0")
    for name, splits in (("true", ()), ("train", ("train",)), ("train-validation", ("train", "validation"))):
        var = folder / name
        shutil.copytree(start, var)
        count = shuffle_judgements(var, splits) if splits else 0
        said = run("retrain", var, "training.depth=head", *(no_clicks if splits else ()))
        print(f"retrain, {count} scores shuffled ({name})", *said, sep="\n  ", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "var/retrain").resolve())
