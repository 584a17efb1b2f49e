"""Take landed pictures into `images` and `image_pixels`; refuse the broken ones into `quarantine`."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.images import facts
from vsearch_lib.images.decode import Limits
from vsearch_lib.images.files import FACTS, files_to_read, read_files, with_facts
from vsearch_lib.images.landed import landed_images
from vsearch_lib.images.near_duplicates import regroup
from vsearch_lib.job import Figure, Job, main
from vsearch_lib.lake.computed import computed
from vsearch_lib.landing.account import Account
from vsearch_lib.landing.erased import with_erased
from vsearch_lib.landing.files import METADATA_NAME
from vsearch_lib.landing.known import Landing
from vsearch_lib.landing.quarantine import check_share, refused_days, settle

FILES_PER_TASK = 500
_TABLES = ("images", "images_awaited", "image_files", "image_pixels", "near_duplicates")


def run(job: Job) -> list[Figure]:
    """Take in the pictures of the landing partitions asked for."""
    landing = Landing.of(job, "images", job.settings.landing.images, opened=METADATA_NAME, tables=_TABLES)
    if (known_before := landing.known()) is not None:
        return known_before
    days = refused_days(job, "images") if job.retry else job.dates
    found = landed_images(job.spark, job.settings.landing.images, days)
    if found is None:
        job.say(f"ingest_images: nothing landed at {job.settings.landing.images}")
        return Account("images", landed=0, refused=0, keys=0, accepted=0).figures()
    landed = computed(_of_this_run(job, found))
    known = job.lake.read("image_files")
    if days is not None:
        known = known.where(F.col("landed_on").isin(list(days)))
    if job.retry:
        known = known.where("reason IS NULL")
    files = computed(files_to_read(landed, known))
    new_files = files.count()
    tasks = max(job.spark.sparkContext.defaultParallelism, -(-new_files // FILES_PER_TASK))
    read = computed(read_files(files, _limits(job), tasks))
    statements = computed(with_facts(landed, known, *([read] if new_files else [])))

    counted = statements.agg(
        F.count("*"),
        F.count("reason"),
        F.count(F.when(F.col("reason") == "erased", 1)),
        F.countDistinct(F.when(F.col("reason").isNull(), F.col("image_id"))),
    ).collect()[0]
    total, refused, erased, keys = (int(value) for value in counted)
    refusals = statements.where("reason IS NOT NULL").withColumnRenamed("text", "payload") if refused else None
    check_share(job, "images", refusals, landed=total, count=refused - erased)
    if new_files:
        # Pixels before facts: a row of `images` never points at pixels that are not there yet.
        pictures = read.where("reason IS NULL").dropDuplicates(["sha256"])
        job.lake.insert_new("image_pixels", pictures)
        stored = job.lake.read("image_pixels").select("sha256", "phash")
        groups = computed(regroup(pictures, stored, job.lake.read("near_duplicates")))
        job.lake.upsert("near_duplicates", groups)
        # After what was made of them: a file that is known is not read again.
        job.lake.upsert("image_files", read.drop("jpeg"))
    accepted = _fold_into_images(job, statements.where("reason IS NULL"))
    sources = statements.select("source").union(statements.select("source_uri")).where("source IS NOT NULL").distinct()
    settle(job, "images", refusals, sources)
    account = Account("images", landed=total, refused=refused, keys=keys, accepted=accepted)
    job.say(account.line())
    in_the_lake = [
        Figure("images_known", job.lake.read("images").where(F.col("deleted_at").isNull()).count()),
        Figure("images_awaited", job.lake.read("images_awaited").count()),
    ]
    landing.taken_in(account, [Figure("images_read", 0), *in_the_lake])
    return [*account.figures(), Figure("images_read", new_files), *in_the_lake]


def _of_this_run(job: Job, landed: DataFrame) -> DataFrame:
    """Refuse what is about the erased; of a retry leave only what is listed as refused."""
    about = {"image_id": "image", "owner_id": "user"}
    landed = with_erased(landed, about, job.lake.read("erasures"))
    is_erased = F.col("_erased")
    landed = (
        landed.withColumn("reason", F.when(is_erased, "erased").otherwise(F.col("reason")))
        .withColumn(
            "message", F.when(is_erased, "about a user or an image that was erased").otherwise(F.col("message"))
        )
        .withColumn("text", F.when(~is_erased & F.col("reason").isNotNull(), F.col("text")))
        .drop("_erased")
    )
    if not job.retry:
        return landed
    listed = job.lake.read("quarantine").where("table = 'images'").select("source", "line").distinct()
    wanted = listed.withColumnsRenamed({"source": "q_source", "line": "q_line"})
    same_line = (F.col("source") == F.col("q_source")) & (F.col("line") == F.col("q_line"))
    same_file = (F.col("source_uri") == F.col("q_source")) & (F.col("q_line") == 0)
    return landed.join(wanted, same_line | same_file, "left_semi")


def _limits(job: Job) -> Limits:
    image = job.settings.image
    return Limits(
        max_bytes=image.max_bytes,
        max_pixels=image.max_pixels,
        max_aspect=image.max_aspect,
        min_side=image.min_side,
        size=image.size,
    )


def _fold_into_images(job: Job, statements: DataFrame) -> int:
    """Fold accepted statements into `images`, or into `images_awaited` until the picture lands; return rows moved."""
    lake = job.lake
    folded = computed(facts.fold(statements))
    landed = folded.where("source_uri IS NOT NULL")
    changes = folded.where("source_uri IS NULL")
    if changes.isEmpty():
        moved = lake.upsert("images", facts.to_images(landed), when=facts.WHEN, assign=facts.ASSIGN)
    else:
        stored = lake.read("images").select("image_id")
        rows = landed.unionByName(changes.join(stored, "image_id", "left_semi"))
        moved = lake.upsert("images", facts.to_images(rows), when=facts.WHEN, assign=facts.ASSIGN)
        waiting = changes.join(lake.read("images").select("image_id"), "image_id", "left_anti")
        moved += lake.upsert("images_awaited", waiting, when=facts.AWAITED_WHEN, assign=facts.AWAITED_ASSIGN)
    _fold_arrived(job)
    return moved


def _fold_arrived(job: Job) -> None:
    """Move what was awaited of images that are there by now: this run's, or another's that ran beside it."""
    lake = job.lake
    if not lake.exists("images_awaited"):
        return
    stored = lake.read("images").select("image_id", *FACTS, "source_uri")
    arrived = computed(lake.read("images_awaited").join(stored, "image_id"))
    if not arrived.isEmpty():
        lake.upsert("images", facts.to_images(arrived), when=facts.ARRIVED_WHEN, assign=facts.ARRIVED_ASSIGN)
        lake.delete_keys("images_awaited", arrived.select("image_id", "said_on"))


if __name__ == "__main__":
    main(run)
