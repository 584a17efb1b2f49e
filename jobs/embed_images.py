"""Embed every living image that the current model has not embedded yet, and drop the vectors of those that left."""

import statistics
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.embedding.pending import Pending
from vsearch_lib.embedding.work import Work, pixels_of, refused_before, work_to_do
from vsearch_lib.embedding.worker import REPORT, embed_task
from vsearch_lib.encoder.promotion import current_model
from vsearch_lib.encoder.registry import Model, check_unchanged, load_model
from vsearch_lib.job import Figure, Job, main
from vsearch_lib.lake.changes import Position, position, read_until, remember
from vsearch_lib.lake.computed import computed
from vsearch_lib.landing.quarantine import check_share, settle
from vsearch_lib.ticker import every

TABLES = ("images", "image_pixels")
_TELL_SECONDS = 0.5


def run(job: Job) -> list[Figure]:
    """Bring `embeddings` of the newest model of the configured recipe up to date with `images`."""
    lake, maintenance = job.lake, job.settings.maintenance
    version = current_model(job.settings).version
    reader = f"embed_images-{version}"
    now = {table: at for table in TABLES if (at := position(lake, table))}
    # Older changes may be gone from the tables' history.
    within_hours = maintenance.retention_hours - maintenance.longest_reader_hours
    compare_all = job.retry or not lake.exists("embeddings")
    since = {} if compare_all else read_until(lake, reader, within_hours=within_hours)
    if len(now) < len(TABLES) or since == now:
        return [*_figures(0, 0), Figure("embeddings_removed", 0)]
    work = refused_before(lake, version) if job.retry else work_to_do(lake, version, since.get("images"), now["images"])
    embedded = _embed(job, version, work, since.get("image_pixels"), now["image_pixels"])
    departed = computed(work.departed)
    removed = 0 if departed.isEmpty() else lake.delete_keys("embeddings", departed)
    if not job.retry:
        remember(lake, reader, now)
    return [*embedded, Figure("embeddings_removed", removed)]


def _embed(job: Job, version: str, work: Work, since: Position | None, until: Position) -> list[Figure]:
    todo = computed(work.todo)
    wanted = todo.count()
    if not wanted:
        return _figures(0, 0)
    model = load_model(job.settings.models.uri, version)
    pending = Pending(job.lake, version)
    hashes = todo.select("sha256").distinct()
    hashes = computed(hashes.join(pending.read(pending.files()), "sha256", "left_anti"))
    pictures = hashes.count()
    report = _reports(job, model, pixels_of(job.lake, hashes, since, until), pending.uri, pictures)
    check_unchanged(job.settings.models.uri, model.card)
    files = pending.files()
    vectors = pending.read(files)
    refused = computed(_refused(todo, vectors, report))
    failures = refused.count()
    check_share(job, "embeddings", refused, landed=wanted, count=failures)
    rows = todo.join(vectors, "sha256").withColumn("model_version", F.lit(version))
    job.lake.upsert("embeddings", rows, when="new.sha256 != old.sha256")
    settle(job, "embeddings", refused, todo.select(F.col("image_id").alias("source")))
    pending.remove(files)
    # Fewer than images where several are the same picture, or an earlier run was cut off.
    return [*_figures(wanted - failures, failures), Figure("pictures_computed", pictures), *_rates(report)]


def _reports(job: Job, model: Model, pixels: DataFrame, pending_uri: str, pictures: int) -> DataFrame:
    """Embed `pixels` into pending files, and return what the tasks report (columns of REPORT)."""
    context, embedding = job.spark.sparkContext, job.settings.embedding
    done = context.accumulator(0)
    task = partial(
        embed_task,
        models_uri=job.settings.models.uri,
        model=context.broadcast(model),
        done=done,
        pending_uri=pending_uri,
        batch_size=embedding.batch_size,
        pictures_per_file=embedding.images_per_task,
    )
    tasks = max(context.defaultParallelism, -(-pictures // embedding.images_per_task))
    # The tasks that ended have counted.
    with every(_TELL_SECONDS, lambda: job.progress(done.value, pictures)):
        return computed(pixels.repartition(tasks).mapInArrow(task, REPORT))


def _refused(todo: DataFrame, vectors: DataFrame, report: DataFrame) -> DataFrame:
    """Return why images of `todo` have no vector (columns of `quarantine.REFUSED`): refused by a task, or no pixels."""
    without = todo.join(vectors.select("sha256"), "sha256", "left_anti")
    reasons = report.where("sha256 IS NOT NULL").select("sha256", "reason", "message").dropDuplicates(["sha256"])
    return without.join(reasons, "sha256", "left").select(
        F.col("image_id").alias("source"),
        F.lit(0).cast("bigint").alias("line"),
        F.coalesce("reason", F.lit("missing_pixels")).alias("reason"),
        F.coalesce("message", F.concat(F.lit("no image_pixels of "), "sha256")).alias("message"),
        F.lit(None).cast("string").alias("payload"),
    )


def _figures(embedded: int, refused: int) -> list[Figure]:
    return [Figure("images_embedded", embedded), Figure("images_not_embeddable", refused)]


def _rates(report: DataFrame) -> list[Figure]:
    """Return how fast the tasks were, and how unequal."""
    sums = [F.sum(name).alias(name) for name in ("pictures", "seconds", "decode_seconds", "forward_seconds")]
    tasks = report.where("sha256 IS NULL").groupBy("task").agg(*sums).collect()
    if not tasks:
        return []
    pictures, seconds = sum(task["pictures"] for task in tasks), [task["seconds"] for task in tasks]
    return [
        Figure("images_per_second_per_core", pictures / sum(seconds)),
        Figure("decode_ms_per_image", 1000 * sum(task["decode_seconds"] for task in tasks) / pictures),
        Figure("forward_ms_per_image", 1000 * sum(task["forward_seconds"] for task in tasks) / pictures),
        Figure("slowest_task_to_median", max(seconds) / statistics.median(seconds)),
    ]


if __name__ == "__main__":
    main(run)
