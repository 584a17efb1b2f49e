"""Embed images with a model and store their vectors in `embeddings`."""

import statistics
from dataclasses import dataclass
from functools import partial, reduce

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.pending import Pending
from vsearch_lib.embedding.views import Views
from vsearch_lib.embedding.work import with_hashes
from vsearch_lib.embedding.worker import REPORT, embed_task
from vsearch_lib.errors import WriteConflict
from vsearch_lib.figures import Figure
from vsearch_lib.models.load import Model, check_unchanged, load_model
from vsearch_lib.quarantine.share import check_refused_share
from vsearch_lib.quarantine.table import replace_refusals
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.ticker import every

_PROGRESS_SECONDS = 0.5


@dataclass(frozen=True)
class EmbeddingPass:
    """The report of the tasks of one Spark job (columns of REPORT), and the sums for each task."""

    report: DataFrame
    tasks: list[Row]
    pictures: int
    refused: int


def embed_and_store(context: StepContext, version: str, to_embed: DataFrame, sources: list[DataFrame]) -> list[Figure]:
    """Store vectors of model `version` for the images `to_embed` (image_id, sha256), or why they have none.

    Args:
        sources: frames of (sha256, jpeg), which are searched for pixels in turn.

    Raises:
        GateRefused: more than `quality.max_refused_share` of the images have no vector; nothing was committed.
        WriteConflict: another run deleted pending vectors that this run had computed.
    """
    wanted, pictures = to_embed.agg(F.count("*"), F.count_distinct("sha256")).collect()[0]
    if not wanted:
        return embedded_figures(version, 0, 0)
    model = load_model(context.settings.models.uri, version)
    pending = Pending(context.lake, version)
    hashes = to_embed.select("sha256").distinct()
    if earlier := pending.files():
        hashes = checkpointed(hashes.join(pending.read(earlier), "sha256", "left_anti"))
        pictures = hashes.count()
    without_pixels, passes = pictures, list[EmbeddingPass]()
    for pixels in sources:
        if without_pixels:
            passes.append(
                embed_pixels(context, model, with_hashes(pixels, hashes, without_pixels), pending.uri, without_pixels)
            )
            without_pixels -= passes[-1].pictures
            hashes = hashes.join(pixels.select("sha256"), "sha256", "left_anti")
    check_unchanged(context.settings.models.uri, model.card)
    files = pending.files()
    vectors = pending.read(files)
    refused, failures = None, 0
    if without_pixels or any(one.refused for one in passes):
        refused = refusals(to_embed, vectors, passes)
        failures = refused.count()
    check_refused_share(context, "embeddings", refused, landed=wanted, count=failures)
    rows = to_embed.join(vectors, "sha256").withColumn("model_version", F.lit(version))
    written = context.lake.upsert("embeddings", rows, when="new.sha256 != old.sha256")
    # Fewer rows if some were stored before, or if another run ended meanwhile and deleted pending files.
    if written < wanted - failures and to_embed.join(vectors, "sha256", "left_anti").count() > failures:
        raise WriteConflict(
            f"{pending.uri}: another run deleted vectors that this run had computed; run this step again"
        )
    replace_refusals(context, "embeddings", refused, to_embed.select(F.col("image_id").alias("source")))
    pending.remove(files)
    # Fewer pictures than images if some images are the same picture, or if an interrupted run left vectors.
    pictures = sum(one.pictures for one in passes)
    tasks = [task for one in passes for task in one.tasks]
    computed_now = Figure("pictures_computed", pictures, subject=f"model {version}")
    return [*embedded_figures(version, wanted - failures, failures), computed_now, *_rates(version, tasks)]


def embed_pixels(
    context: StepContext,
    model: Model,
    pixels: DataFrame,
    pending_uri: str,
    pictures: int,
    views: Views | None = None,
) -> EmbeddingPass:
    """Embed `pixels` (sha256, jpeg), at most `pictures` rows, or `views` of them, into files under `pending_uri`."""
    spark, embedding = context.spark.sparkContext, context.settings.embedding
    done = spark.accumulator(0)
    pictures_per_task = max(1, embedding.images_per_task // (views.count if views else 1))
    task = partial(
        embed_task,
        model=spark.broadcast(model),
        done=done,
        pending_uri=pending_uri,
        batch_size=embedding.batch_size,
        pictures_per_file=pictures_per_task,
        views=views,
    )
    tasks = max(spark.defaultParallelism, -(-pictures // pictures_per_task))
    # The accumulator counts the pictures of tasks that have ended.
    with every(_PROGRESS_SECONDS, lambda: context.progress(done.value, pictures)):
        report = checkpointed(pixels.repartition(tasks).mapInArrow(task, REPORT))
    sums = [F.sum(name).alias(name) for name in ("pictures", "seconds", "decode_seconds", "forward_seconds")]
    rows = report.groupBy("task").agg(F.count("sha256").alias("refused"), *sums).collect()
    task_sums = [row for row in rows if row["task"] is not None]
    embedded = sum(row["pictures"] for row in task_sums)
    return EmbeddingPass(report, task_sums, embedded, sum(row["refused"] for row in rows))


def refusals(to_embed: DataFrame, vectors: DataFrame, passes: list[EmbeddingPass]) -> DataFrame:
    """Return why images have no vector, in the form of `replace_refusals`: refused by a task, or without pixels."""
    without = to_embed.join(vectors.select("sha256"), "sha256", "left_anti")
    report = reduce(DataFrame.unionByName, (one.report for one in passes))
    reasons = report.where("sha256 IS NOT NULL").select("sha256", "reason", "message").dropDuplicates(["sha256"])
    refused = without.join(reasons, "sha256", "left").select(
        F.col("image_id").alias("source"),
        F.lit(0).cast("bigint").alias("line"),
        F.coalesce("reason", F.lit("missing_pixels")).alias("reason"),
        F.coalesce("message", F.concat(F.lit("no image_pixels of "), "sha256")).alias("message"),
        F.lit(None).cast("string").alias("payload"),
    )
    return checkpointed(refused)


def embedded_figures(version: str, embedded: int, refused: int) -> list[Figure]:
    """Return how many images were given a vector of model `version`, and how many were refused."""
    counts = {"images_embedded": embedded, "images_not_embeddable": refused}
    return [Figure(metric, count, subject=f"model {version}") for metric, count in counts.items()]


def _rates(version: str, tasks: list[Row]) -> list[Figure]:
    """Return the speed of the tasks, and the ratio of the slowest to the median."""
    if not tasks:
        return []
    pictures, seconds = sum(task["pictures"] for task in tasks), [task["seconds"] for task in tasks]
    rates = {
        "images_per_second_per_core": pictures / sum(seconds),
        "decode_ms_per_image": 1000 * sum(task["decode_seconds"] for task in tasks) / pictures,
        "forward_ms_per_image": 1000 * sum(task["forward_seconds"] for task in tasks) / pictures,
    }
    subject = f"model {version}"
    return [
        *(Figure(metric, rate, subject=subject, n=pictures) for metric, rate in rates.items()),
        Figure("slowest_task_to_median", max(seconds) / statistics.median(seconds), subject=subject, n=len(tasks)),
    ]
