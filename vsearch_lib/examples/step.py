"""Chooses what the encoder learns from: writes one training snapshot, and its examples to `training_examples`."""

from datetime import UTC, datetime

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.config.examples import Clicks
from vsearch_lib.context import StepContext
from vsearch_lib.errors import VsearchError
from vsearch_lib.examples.assembly import complete_examples, learnable_images, weighted_positives, write_snapshot
from vsearch_lib.examples.clicked import Clicked
from vsearch_lib.examples.inputs import current_inputs, made_from, snapshot_name
from vsearch_lib.examples.judgements import agreement
from vsearch_lib.examples.learnable import images_to_learn_from
from vsearch_lib.examples.propensity import effective_sample_size, inverse_propensity
from vsearch_lib.examples.related import related_groups
from vsearch_lib.examples.snapshot import read_snapshot
from vsearch_lib.examples.sources import collect_sources
from vsearch_lib.examples.usable import require_learnable, snapshots_by_age
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.lake.eligible import require_images
from vsearch_lib.lake.training_snapshots import keep_training_snapshots, training_snapshots_uri
from vsearch_lib.models.registry import newest, recipe_of
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.storage import open_store


def build_training_examples(context: StepContext, *, retrain: bool = False) -> list[Figure]:
    """Write a snapshot if a model will be trained: if this recipe has none yet, or --retrain asks for one.

    Equal inputs give the same snapshot, byte for byte, so it is written once. Nothing is written if no example can be
    made; `train_encoder` handles that case.

    Raises:
        VsearchError: the lake has no image, or an image of the snapshot was erased or withdrawn meanwhile.
    """
    settings, lake = context.settings, context.lake
    recipe = recipe_of(settings)
    if recipe.training == "none" or (not retrain and newest(settings.models.uri, recipe)):
        return []
    require_images(lake, settings)
    inputs = current_inputs(lake, settings)
    if recipe.training == "auto" and not {"judgements", "interactions"} & set(inputs.versions):
        context.say("build_training_examples: nobody has judged or clicked a pair of images: nothing to learn from")
        return []
    name = snapshot_name(inputs, made_from(inputs, settings))
    if (rows := _stored_rows(lake, name)) is not None:
        context.say(f"build_training_examples: snapshot {name} was made from the same inputs and is used again")
        _save_rows(lake, rows, name)
        context.made["training_snapshot"] = name
        return _counts(rows, name)
    images = learnable_images(inputs, settings)
    if images.isEmpty():
        context.say("build_training_examples: no example can be made: no image may be learnt from")
        return []
    sources = collect_sources(inputs, images, settings)
    related = checkpointed(related_groups(sources.known, images))
    positives = weighted_positives(sources, settings)
    examples = complete_examples(inputs, images, related, positives, settings, name=name)
    if examples.isEmpty():
        context.say(
            "build_training_examples: no example can be made: too few images are unrelated for examples.candidates = "
            f"{settings.examples.candidates}"
        )
        return []
    snapshot = write_snapshot(inputs, images, related, examples, settings, name=name)
    try:
        require_learnable(name, examples, images_to_learn_from(lake, settings))
    except VsearchError:
        keep_training_snapshots(lake, snapshots_by_age(lake))
        raise
    _save_rows(lake, examples, name)
    keep_training_snapshots(lake, snapshots_by_age(lake)[: settings.examples.retained_snapshots])
    context.made["training_snapshot"] = name
    subject = f"snapshot {name}"
    made = examples.select("query_image_id", "source", F.element_at("candidate_image_ids", F.col("label") + 1))
    return [
        *_counts(examples, name),
        Figure("training_pictures", sum(file.rows for file in snapshot.pictures), subject=subject),
        Figure("training_boxes", snapshot.boxes.count, subject=subject),
        Figure("positives_without_negatives", positives.count() - made.distinct().count(), subject=subject),
        *_agreement(inputs.read("judgements"), subject),
        *(_click_figures(sources.clicked, settings.clicks, subject) if sources.clicked else []),
    ]


def _stored_rows(lake: Lake, name: str) -> DataFrame | None:
    """Return the rows of the snapshot `name`, None if it was not completely written or has been deleted."""
    if read_snapshot(open_store(training_snapshots_uri(lake)), name) is None:
        return None
    rows = checkpointed(lake.read("training_examples").where(F.col("snapshot") == name))
    return None if rows.isEmpty() else rows


def _save_rows(lake: Lake, examples: DataFrame, name: str) -> None:
    rows = examples.withColumns({"snapshot": F.lit(name), "split": F.lit("train"), "made_at": F.lit(datetime.now(UTC))})
    lake.replace("training_examples", rows, f"snapshot = '{name}'")


def _counts(examples: DataFrame, name: str) -> list[Figure]:
    """Return the number of examples, in all and by source."""
    by_source = examples.groupBy("source").count().orderBy("source").collect()
    subject = f"snapshot {name}"
    return [
        Figure("training_examples", sum(row["count"] for row in by_source), subject=subject),
        *(Figure("training_examples", row["count"], subject=subject, slice=row["source"]) for row in by_source),
    ]


def _agreement(judgements: DataFrame, subject: str) -> list[Figure]:
    """Return how far annotators agree, if pairs have several annotators."""
    alpha, pairs = agreement(judgements)
    return [] if alpha is None else [Figure("annotator_agreement", alpha, subject=subject, n=pairs)]


def _click_figures(clicked: Clicked, chosen: Clicks, subject: str) -> list[Figure]:
    counts = clicked.counts
    weights = inverse_propensity(clicked.examination, counts.position, max_weight=chosen.max_weight)
    weights = np.repeat(weights, counts.clicks)
    return [
        Figure("robots", clicked.robots.count(), subject=subject),
        Figure("effective_clicks", effective_sample_size(weights), subject=subject, n=len(weights)),
    ]
