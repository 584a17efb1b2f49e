"""Trains on clothing photos through the whole pipeline, and asks the published index (queries: the test split).

    .venv/bin/python benchmarks/clothing_training.py ../shared/data/clothing var/clothing-training full 1 2 3 \\
        --set training.max_minutes=20

The lake holds the train split; judgements say that two of its photos are alike if they have the same label. The labels
are not tags, so nothing else knows them. `none`, `head` or `full` is the depth, the numbers are seeds.

With judgements of the train split alone, the trained model is used without a comparison. With `--unlabelled` nobody
judges, and the comparison of a retraining decides, on parts of pictures of the lake's own test share:

    .venv/bin/python benchmarks/clothing_training.py ../shared/data/clothing var/clothing-views head 1 --unlabelled \\
        --set training.views=4 --set examples.test_share=0.2
"""

import argparse
import csv
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from clothing_precision import average_precision
from numpy.typing import NDArray

from vsearch_lib.config import Settings, load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.lake import Lake
from vsearch_lib.models.promotion import promote
from vsearch_lib.models.registry import read_card
from vsearch_lib.paired import paired_difference
from vsearch_lib.run.bodies import body_of
from vsearch_lib.run_ids import new_run_id
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.serving.embedding import model_of
from vsearch_lib.spark.session import start_session
from vsearch_lib.steps import GRAPHS, in_order
from vsearch_lib.storage import open_store

DAY = "2026-01-01"
ALIKE = 5  # the score of a pair of one label


def land(clothing: Path, rows: list[dict[str, str]], landing: Path, *, labelled: bool) -> None:
    """Write the photos of the train split and, if `labelled`, a judgement for each pair of one label."""
    trained = [row for row in rows if row["split"] == "train"]
    images = landing / f"images/date={DAY}"
    images.mkdir(parents=True)
    with (images / "metadata.jsonl").open("w") as metadata:
        for row in trained:
            name = Path(row["file"]).name
            (images / name).symlink_to((clothing / row["file"]).resolve())
            facts = {"image_id": row["image_id"], "file": name, "owner_id": row["owner_id"], "visibility": "public"}
            metadata.write(
                json.dumps({**facts, "uploaded_at": f"{DAY}T00:00:00Z", "tags": [], "moderation": "ok"}) + "\n"
            )
    judgements = landing / f"judgements/date={DAY}"
    judgements.mkdir(parents=True)
    with (judgements / "judgements.csv").open("w") as file:
        file.write("query_image_id,image_id,annotator,score\n")
        for i, one in enumerate(trained if labelled else []):
            for other in trained[:i]:
                if one["label"] == other["label"]:
                    file.write(f"{one['image_id']},{other['image_id']},label,{ALIKE}\n")


def precisions(settings: Settings, clothing: Path, rows: list[dict[str, str]]) -> tuple[float, float, list[float]]:
    """Return R@1, P@10, and the average precision of each query, of the published index."""
    searcher = Searcher.open(settings.index.uri, cache=settings.cache)
    embedder, image = model_of(searcher.manifest), settings.image
    limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size)
    queries = [row for row in rows if row["split"] == "test"]
    jpegs = [normalise((clothing / row["file"]).read_bytes(), limits).jpeg for row in queries]
    vectors = np.concatenate([embedder.embed([jpeg]) for jpeg in jpegs])
    label_of = {row["image_id"]: row["label"] for row in rows}
    labels = np.array([label_of[name] for name in searcher.rows["image_id"].to_pylist()])
    hits = searcher.search(vectors, len(labels))
    right: list[NDArray[np.bool_]] = [
        labels[[row for row in ids if row >= 0]] == query["label"] for ids, query in zip(hits.ids, queries, strict=True)
    ]
    average = [
        average_precision(one, int((labels == row["label"]).sum())) for one, row in zip(right, queries, strict=True)
    ]
    return float(np.mean([one[0] for one in right])), float(np.mean([one[:10].mean() for one in right])), average


def main() -> None:
    """Print R@1, P@10 and mAP before the training and after it, for each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clothing", type=Path)
    parser.add_argument("var", type=Path)
    parser.add_argument("depth", choices=["none", "head", "full"])
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--unlabelled", action="store_true", help="without judgements")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    with (chosen.clothing / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    own = [f"var={chosen.var}", f"landing.uri={chosen.var}/landing", "examples.test_share=0", *chosen.set]
    untrained = load_settings("local", [*own, "training.depth=none"])
    is_new = not Path(untrained.landing.uri).exists()
    if is_new:
        land(chosen.clothing, rows, Path(untrained.landing.uri), labelled=not chosen.unlabelled)
    with start_session(untrained, "clothing") as spark:

        def run(step: str, settings: Settings, run_id: str, **options: bool) -> dict[str, str]:
            context = StepContext(settings, Lake(spark, settings.lake.uri, run_id), run_id, say=print)
            began = time.perf_counter()
            for figure in body_of(step)(context, **options):
                if figure.metric in ("training_loss", "validation_recall"):
                    print(" ", figure.metric, figure.slice, figure.value)
            print(f"  {step}: {time.perf_counter() - began:.0f} s", flush=True)
            return context.made

        def publish(settings: Settings) -> tuple[float, float, list[float]]:
            run_id = new_run_id()
            for step in in_order(GRAPHS["refresh_index"]):
                run(step.name, settings, run_id, **vars(step.options))
            found = precisions(settings, chosen.clothing, rows)
            print(f"{settings.training.depth}: R@1 {found[0]:.3f}, P@10 {found[1]:.3f}, mAP {np.mean(found[2]):.3f}")
            return found

        first, measured = new_run_id(), chosen.var / "before.json"
        if is_new:
            for step in ("ingest_images", "ingest_judgements", "train_encoder"):
                run(step, untrained, first)
        if not measured.exists():
            measured.write_text(json.dumps(publish(untrained)))
        before = json.loads(measured.read_text())
        for seed in chosen.seeds if chosen.depth != "none" else []:
            settings = load_settings("local", [*own, f"training.depth={chosen.depth}", f"training.seed={seed}"])
            run_id = new_run_id()
            run("build_training_examples", settings, run_id, retrain=True)
            version = run("train_encoder", settings, run_id, retrain=True)["model"]
            card = read_card(open_store(settings.models.uri), version)
            print("  ", json.dumps(card.training["curve"]))
            if chosen.unlabelled:
                run("compare_models", settings, run_id)
            else:
                promote(settings.models.uri, card, run_id=new_run_id(), now=datetime.now(UTC))
            after = publish(settings)
            gain = paired_difference(after[2], before[2], seed=seed)
            print(
                f"seed {seed}: gain in mAP over PCA {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})", flush=True
            )


if __name__ == "__main__":
    main()
