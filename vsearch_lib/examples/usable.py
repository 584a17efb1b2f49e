"""Which snapshot of the training examples is trained on, and whether its images may still be learnt from."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.errors import VsearchError
from vsearch_lib.lake import Lake


def snapshots_by_age(lake: Lake) -> list[str]:
    """Return the snapshots that `training_examples` has, the one that was made last first."""
    snapshots = lake.read("training_examples").groupBy("snapshot").agg(F.max("made_at").alias("made_at"))
    # Snapshots without a time come from an older version of the project: they are older than all others.
    ordered = snapshots.orderBy(F.desc_nulls_last("made_at"), F.desc("snapshot"))
    return [str(row["snapshot"]) for row in ordered.collect()]


def newest_snapshot(lake: Lake) -> str:
    """Return the snapshot that was made last.

    Raises:
        VsearchError: there is no snapshot.
    """
    snapshots = snapshots_by_age(lake)
    if not snapshots:
        raise VsearchError(f"no snapshot in {lake.path('training_examples')}: run build_training_examples first")
    return snapshots[0]


def require_learnable(snapshot: str, examples: DataFrame, learnable: DataFrame) -> None:
    """Check that every image of the snapshot's `examples` may still be learnt from, and still has the same pixels.

    Args:
        snapshot: the name of the snapshot.
        examples: query_image_id, candidate_image_ids, sha256s.
        learnable: image_id, sha256 of the images that a model may learn from.

    Raises:
        VsearchError: an image was erased, deleted, blocked, made private, moved to the test split or has other pixels.
    """
    named = F.arrays_zip(
        F.concat(F.array("query_image_id"), "candidate_image_ids").alias("image_id"),
        F.coalesce("sha256s", F.array().cast("array<string>")).alias("sha256"),
    )
    recorded = examples.select(F.explode(named).alias("image")).select("image.image_id", "image.sha256").distinct()
    stale = recorded.join(learnable, ["image_id", "sha256"], "left_anti").select("image_id").distinct().count()
    if stale:
        images = "1 image" if stale == 1 else f"{stale} images"
        raise VsearchError(
            f"snapshot {snapshot} holds {images} that may not be learnt from any more, or whose pixels are not those "
            "of the snapshot: run build_training_examples again, or vsearch run retrain"
        )
