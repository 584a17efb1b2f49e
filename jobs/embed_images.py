"""Embed every living image that the current model has not embedded yet, and drop the vectors of those that left."""

from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.embedding import embed_pixels, images_to_embed
from vsearch_lib.encoder.registry import current_model
from vsearch_lib.job import Figure, Job, main
from vsearch_lib.landing.refusal import check_refused_share

IMAGES_PER_TASK = 500


def run(job: Job) -> list[Figure]:
    """Bring `embeddings` of the newest model of the configured recipe up to date with `images`."""
    settings, lake = job.settings, job.lake
    card = current_model(settings)
    images = lake.read("images")
    known = lake.read("embeddings").where(F.col("model_version") == card.version)
    todo = images_to_embed(images, known).localCheckpoint()
    wanted = todo.count()
    if wanted:
        rows = todo.join(lake.read("image_pixels").select("sha256", "jpeg"), "sha256")
        cores = job.spark.sparkContext.defaultParallelism
        embedded = embed_pixels(
            rows,
            models_uri=settings.models.uri,
            model_version=card.version,
            batch_size=settings.embedding.batch_size,
            threads=1,
            partitions=max(cores, -(-wanted // IMAGES_PER_TASK)),
        ).localCheckpoint()
        refused = embedded.where("vector IS NULL")
        failures = refused.count()
        check_refused_share("embeddings", landed=wanted, refused=failures, limit=settings.quality.max_refused_share)
        lake.upsert("embeddings", embedded.where("vector IS NOT NULL").withColumn("model_version", F.lit(card.version)))
        if failures:
            lake.insert_new("quarantine", _quarantined(job, refused))
    else:
        failures = 0
    removed = _drop_departed(job, card.version)
    return [
        Figure("images_embedded", wanted - failures),
        Figure("images_not_embeddable", failures),
        Figure("embeddings_removed", removed),
    ]


def _quarantined(job: Job, refused: DataFrame) -> DataFrame:
    return refused.select(
        F.lit(job.run_id).alias("run"),
        F.lit("embeddings").alias("table"),
        F.col("image_id").alias("source"),
        F.lit(0).cast("bigint").alias("line"),
        F.lit("not_embeddable").alias("reason"),
        F.lit("its stored pixels do not decode, or its vector is not finite").alias("message"),
        F.lit(None).cast("string").alias("payload"),
        F.lit(None).cast("bigint").alias("source_bytes"),
        F.lit(None).cast("timestamp").alias("source_modified_at"),
        F.lit(datetime.now(UTC)).alias("first_seen"),
    )


def _drop_departed(job: Job, model_version: str) -> int:
    images = job.lake.read("images").where("deleted_at IS NULL AND moderation != 'blocked'")
    known = job.lake.read("embeddings").where(F.col("model_version") == model_version)
    departed = known.join(images, "image_id", "left_anti").select("model_version", "image_id")
    count = departed.count()
    if count:
        job.lake.delete_keys("embeddings", departed)
    return count


if __name__ == "__main__":
    main(run)
