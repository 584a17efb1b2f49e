"""Puts a snapshot together: from the images and sources to examples with negatives, and to files."""

import hashlib

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.config import Settings
from vsearch_lib.examples.boxes import drawn_boxes
from vsearch_lib.examples.clicked import days_to_learn_from
from vsearch_lib.examples.inputs import Inputs, made_from, negative_sets
from vsearch_lib.examples.learnable import for_training
from vsearch_lib.examples.mix import mixed
from vsearch_lib.examples.negatives import Wanted, with_negatives
from vsearch_lib.examples.neighbours import index_neighbours
from vsearch_lib.examples.pixels import with_pixels
from vsearch_lib.examples.snapshot import DESCRIPTION, Snapshot, encode
from vsearch_lib.examples.snapshot_files import number_pictures, write_examples, write_pictures, write_related
from vsearch_lib.examples.sources import Sources
from vsearch_lib.lake.training_snapshots import training_snapshots_uri
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.storage import open_store


def learnable_images(inputs: Inputs, settings: Settings) -> DataFrame:
    """Return the public training images that have pixels: image_id, sha256, group, tags."""
    learnable = for_training(inputs.read("images"), inputs.read("near_duplicates"), settings.examples)
    pixels = inputs.read("image_pixels").select("sha256")
    return checkpointed(learnable.join(pixels, "sha256", "left_semi").select("image_id", "sha256", "group", "tags"))


def weighted_positives(sources: Sources, settings: Settings) -> DataFrame:
    """Return the examples before they have negatives: example_id, query_image_id, image_id, source, weight."""
    chosen = settings.examples
    return checkpointed(
        mixed(
            sources.pairs,
            chosen.mix.model_dump(),
            pairs_per_query=chosen.pairs_per_query,
            seed=chosen.candidates_seed,
        )
    )


def complete_examples(
    inputs: Inputs, images: DataFrame, related: DataFrame, positives: DataFrame, settings: Settings, *, name: str
) -> DataFrame:
    """Return the examples that have enough negatives, with candidate_image_ids, label, negative_set and sha256s.

    Other snapshots than `name` have other negatives.
    """
    chosen, neighbours = settings.examples, None
    if inputs.index is not None:
        queries = positives.select("query_image_id").distinct()
        first, last = chosen.negatives.first_rank, chosen.negatives.last_rank
        vectors = inputs.read("embeddings")
        neighbours = index_neighbours(vectors, settings, queries, inputs.index, first_rank=first, last_rank=last)
    sets = negative_sets(settings)
    in_sets = positives.withColumn("negative_set", F.explode(F.sequence(F.lit(0), F.lit(sets - 1))))
    if sets > 1:
        in_sets = in_sets.withColumn("example_id", F.concat("example_id", F.lit("#"), "negative_set"))
    wanted = Wanted.of(
        chosen.candidates - 1,
        index_share=chosen.negatives.index_share,
        same_tag_share=chosen.negatives.same_tag_share,
    )
    seed = int(hashlib.sha256(f"{chosen.candidates_seed} {name}".encode()).hexdigest()[:8], 16)
    complete = with_negatives(in_sets, images, related, neighbours, wanted, seed=seed)
    return checkpointed(with_pixels(complete, images))


def write_snapshot(
    inputs: Inputs, images: DataFrame, related: DataFrame, examples: DataFrame, settings: Settings, *, name: str
) -> Snapshot:
    """Write the files of the snapshot `name`, its description last, and return the description."""
    seed, clicks = settings.examples.candidates_seed, settings.clicks
    folder = f"{training_snapshots_uri(inputs.lake)}/{name}"
    used = examples.select(F.explode("sha256s").alias("sha256")).distinct()
    pictures = number_pictures(images.join(used, "sha256", "left_semi"), seed=seed)
    sets = range(negative_sets(settings))
    snapshot = Snapshot(
        name=name,
        made_from=made_from(inputs, settings),
        candidates=settings.examples.candidates,
        pictures=write_pictures(folder, pictures, inputs.read("image_pixels")),
        examples=tuple(
            write_examples(
                folder, f"examples-{n:04d}", examples.where(F.col("negative_set") == n), pictures, seed=seed + n
            )
            for n in sets
        ),
        related=write_related(folder, related, pictures),
        boxes=drawn_boxes(days_to_learn_from(inputs.read("interactions"), clicks), min_boxes=clicks.min_boxes),
    )
    # The same inputs give the same description: if another run has written it meanwhile, it has written this one.
    open_store(folder).write_new(DESCRIPTION, encode(snapshot))
    return snapshot
