"""Take landed pictures into `images` and `image_pixels`; refuse the broken ones into `quarantine`."""

from datetime import UTC, datetime

from pyspark import StorageLevel
from pyspark.sql import functions as F

from vsearch_lib.images.decode import Limits
from vsearch_lib.images.ingest import decode, files_refused_before, files_to_decode, image_rows, quarantine_rows
from vsearch_lib.images.landed import landed_images
from vsearch_lib.job import Figure, Job, main
from vsearch_lib.landing.refusal import check_refused_share

FILES_PER_TASK = 200


def run(job: Job) -> list[Figure]:
    """Take in the pictures of the landing partitions asked for."""
    lake, image = job.lake, job.settings.image
    landed = landed_images(job.spark, job.settings.landing.images, job.dates)
    if landed is None:
        job.say(f"ingest_images: nothing landed at {job.settings.landing.images}")
        return [Figure("images_landed", 0)]
    landed = landed.persist(StorageLevel.DISK_ONLY)
    images, quarantine = lake.read("images"), lake.read("quarantine")
    files = files_to_decode(landed, images, quarantine).persist(StorageLevel.DISK_ONLY)
    new_files = files.count()
    limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size)
    tasks = max(job.spark.sparkContext.defaultParallelism, -(-new_files // FILES_PER_TASK))
    decoded = decode(files, limits, tasks).persist(StorageLevel.DISK_ONLY)

    now = datetime.now(UTC)
    counted = landed.agg(F.count("*"), F.count("reason")).head(1)[0]
    rows, broken_rows = int(counted[0]), int(counted[1])
    broken_files = decoded.where("reason IS NOT NULL").count() if new_files else 0
    refused = broken_rows + broken_files + files_refused_before(landed, quarantine).count()
    check_refused_share("images", landed=rows, refused=refused, limit=job.settings.quality.max_refused_share)
    if new_files:
        # Pixels before facts: a row of `images` never points at pixels that are not there yet.
        lake.insert_new("image_pixels", decoded.where("reason IS NULL").dropDuplicates(["sha256"]))
    lake.upsert("images", image_rows(landed, images, decoded, now))
    if broken_rows or broken_files:
        lake.insert_new("quarantine", quarantine_rows(landed, decoded, job.run_id, now))
    for frame in (decoded, files, landed):
        frame.unpersist()
    return [
        Figure("images_landed", rows),
        Figure("images_refused", refused),
        Figure("images_decoded", new_files - broken_files),
        Figure("images_known", lake.read("images").where(F.col("deleted_at").isNull()).count()),
    ]


if __name__ == "__main__":
    main(run)
