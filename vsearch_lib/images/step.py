"""Ingest landed pictures into `images` and `image_pixels`; list refused pictures in `quarantine`."""

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.eligibility import NOT_DELETED
from vsearch_lib.erasure.landed import with_erased
from vsearch_lib.figures import Figure
from vsearch_lib.images import facts
from vsearch_lib.images.decode import Limits
from vsearch_lib.images.files import FACTS, files_to_read, read_files, with_facts
from vsearch_lib.images.kept_private import make_private
from vsearch_lib.images.landed import FIELDS, landed_images, path_below, without_unread_metadata
from vsearch_lib.images.metadata import SortedFiles, may_be_metadata, sort_files
from vsearch_lib.images.near_duplicates import regroup
from vsearch_lib.images.near_names import UNMATCHED, with_near_names
from vsearch_lib.lake import table_schema
from vsearch_lib.landing.account import count_refused, nothing_landed, report_missing
from vsearch_lib.landing.causes import with_causes
from vsearch_lib.landing.listing import Listing, list_landed
from vsearch_lib.landing.retry import refused_days
from vsearch_lib.landing.rows import NO_RECORDS
from vsearch_lib.landing.state import LandingState
from vsearch_lib.quarantine.share import check_refused_share
from vsearch_lib.quarantine.table import replace_refusals
from vsearch_lib.spark.checkpoint import checkpointed

FILES_PER_TASK = 500
_TABLES = ("images", "images_awaited", "image_files", "image_pixels", "near_duplicates")


def ingest_images(context: StepContext, *, retry: bool = False) -> list[Figure]:
    """Ingest the pictures of the requested landing partitions."""
    days = refused_days(context, "images") if retry else context.dates
    listing = list_landed(context.settings.landing.images, days, never_clutter=may_be_metadata)
    report_missing(context, "images", listing)
    files = sort_files(listing)
    landing = LandingState.of(
        context, "images", listing, opened=[metadata.file for metadata in files.metadata], tables=_TABLES, retry=retry
    )
    if (earlier := landing.earlier_figures()) is not None:
        return earlier
    passed_over = listing.passed_over + files.sidecars
    if not (files.pictures or files.metadata or files.unread or listing.refused):
        return nothing_landed(context, "images", passed_over)
    statements, read = _statements(context, listing, files, days, retry=retry)
    sources = _sources(context, statements, listing)
    counted = count_refused(statements, landed=F.count("*"), key="image_id")
    statements = statements.where(f"reason IS NULL OR reason <> '{NO_RECORDS}'")
    refusals = None
    if counted.refused:
        refused = with_causes(statements.where("reason IS NOT NULL"), FIELDS)
        refusals = checkpointed(refused.withColumnRenamed("text", "payload"))
    check_refused_share(context, "images", refusals, landed=counted.judged, count=counted.at_fault)
    if read is not None:
        _save_files(context, read)
    accepted = _fold_into_images(context, statements.where("reason IS NULL"))
    if files.described or refusals is not None:
        _delete_made_without_metadata(context, statements, listing.uri)
    replace_refusals(context, "images", refusals, sources)
    account = counted.account("images", accepted, passed_over)
    context.say(account.line())
    totals = [
        Figure("images_known", context.lake.read("images").where(NOT_DELETED).count()),
        Figure("images_awaited", context.lake.read("images_awaited").count()),
    ]
    if not counted.unreadable:
        landing.record_ingested(account, [Figure("images_read", 0), *totals])
    return [*account.figures(), Figure("images_read", read.count() if read is not None else 0), *totals]


def _statements(
    context: StepContext, listing: Listing, sorted_files: SortedFiles, days: Sequence[date] | None, *, retry: bool
) -> tuple[DataFrame, DataFrame | None]:
    """Return the statements with the facts of their files, and the rows of `read_files`, None if no file was read."""
    landed = checkpointed(_without_erased(context, landed_images(context.spark, listing, sorted_files)))
    if sorted_files.metadata and not landed.where(UNMATCHED).isEmpty():
        landed = checkpointed(with_near_names(landed))
    known = context.lake.read("image_files")
    if days is not None:
        known = known.where(F.col("landed_on").isin(list(days)))
    if retry:
        landed = _only_refused(context, landed)
        known = known.where("reason IS NULL")
    files = checkpointed(files_to_read(landed, known))
    new_files = files.count()
    read = None
    if new_files:
        tasks = max(context.spark.sparkContext.defaultParallelism, -(-new_files // FILES_PER_TASK))
        read = checkpointed(read_files(files, _limits(context), tasks))
    statements = with_facts(landed, known, *([] if read is None else [read]))
    statements = checkpointed(make_private(statements) if sorted_files.metadata else statements)
    return without_unread_metadata(statements), read


def _save_files(context: StepContext, read: DataFrame) -> None:
    """Save the results of `read_files`."""
    # Pixels before facts: a row of `images` never refers to pixels that are not stored yet.
    pictures = read.where("reason IS NULL").dropDuplicates(["sha256"])
    context.lake.insert_new("image_pixels", pictures)
    stored = context.lake.read("image_pixels").select("sha256", "phash")
    groups = checkpointed(regroup(pictures, stored, context.lake.read("near_duplicates")))
    context.lake.upsert("near_duplicates", groups)
    # The files come last, because a known file is not read again. A file that could not be opened is not known.
    is_known = F.col("reason").isNull() | ~F.col("reason").isin("unreadable", "missing_file")
    context.lake.upsert("image_files", read.drop("jpeg").where(is_known))


def _sources(context: StepContext, statements: DataFrame, listing: Listing) -> DataFrame:
    """Return the sources whose refusals this run replaces: the files it listed, and the folders it could list."""
    folders = context.spark.createDataFrame(pa.table({"source": pa.array(listing.folders, pa.string())}))
    named = statements.select("source").union(statements.select("source_uri")).where("source IS NOT NULL")
    return named.union(folders).distinct()


def _without_erased(context: StepContext, landed: DataFrame) -> DataFrame:
    """Refuse statements about erased users and images."""
    landed = with_erased(landed, table_schema("images"), context.lake.read("erasures"))
    is_erased = F.col("_erased")
    return (
        landed.withColumn("reason", F.when(is_erased, "erased").otherwise(F.col("reason")))
        .withColumn(
            "message", F.when(is_erased, "about a user or an image that was erased").otherwise(F.col("message"))
        )
        .withColumn("text", F.when(~is_erased & F.col("reason").isNotNull(), F.col("text")))
        .drop("_erased")
    )


def _only_refused(context: StepContext, landed: DataFrame) -> DataFrame:
    """Return the statements in `quarantine`, those in folders in `quarantine`, and all about the same images."""
    listed = context.lake.read("quarantine").where("table = 'images'").select("source", "line").distinct()
    wanted = listed.withColumnsRenamed({"source": "q_source", "line": "q_line"})
    same_line = (F.col("source") == F.col("q_source")) & (F.col("line") == F.col("q_line"))
    whole = F.col("q_line") == 0
    same_file = (F.col("source_uri") == F.col("q_source")) | (F.col("source") == F.col("q_source"))
    same_folder = F.startswith("source", F.concat("q_source", F.lit("/")))
    again = checkpointed(landed.join(wanted, same_line | (whole & (same_file | same_folder)), "left_semi"))
    # With all statements about the same images: an accepted row may make them private.
    others = landed.join(again.select("image_id").distinct(), "image_id", "left_semi")
    return again.unionByName(others.join(again, ["source", "line"], "left_anti"))


def _limits(context: StepContext) -> Limits:
    image = context.settings.image
    return Limits(
        max_bytes=image.max_bytes,
        max_pixels=image.max_pixels,
        max_aspect=image.max_aspect,
        min_side=image.min_side,
        size=image.size,
    )


def _fold_into_images(context: StepContext, statements: DataFrame) -> int:
    """Fold accepted statements into `images`, or into `images_awaited` until the picture lands; return changed rows."""
    lake = context.lake
    folded = checkpointed(facts.fold(statements))
    landed = folded.where("source_uri IS NOT NULL")
    changes = folded.where("source_uri IS NULL")
    if changes.isEmpty():
        changed = lake.upsert("images", facts.to_images(landed), when=facts.WHEN, assign=facts.ASSIGN)
    else:
        stored = lake.read("images").select("image_id")
        rows = landed.unionByName(changes.join(stored, "image_id", "left_semi"))
        changed = lake.upsert("images", facts.to_images(rows), when=facts.WHEN, assign=facts.ASSIGN)
        waiting = changes.join(lake.read("images").select("image_id"), "image_id", "left_anti")
        changed += lake.upsert("images_awaited", waiting, when=facts.AWAITED_WHEN, assign=facts.AWAITED_ASSIGN)
    _fold_arrived(context)
    return changed


def _delete_made_without_metadata(context: StepContext, statements: DataFrame, uri: str) -> None:
    """Delete images that were made from a file alone before its metadata landed, which states the owner."""
    described = statements.where("source_uri IS NOT NULL AND (line > 0 OR reason = 'missing_metadata')")
    files = described.select("source_uri", path_below(uri).alias("image_id"), "file_landed_on").distinct()
    files = files.join(described.where("reason IS NULL").select("image_id"), "image_id", "left_anti")
    alone = context.lake.read("images").where(f"owner_id = 'unknown' AND {NOT_DELETED}")
    outdated = checkpointed(alone.join(files, ["image_id", "source_uri"]))
    if not outdated.isEmpty():
        said_on = F.col("said_on").withField("deleted", F.greatest("said_on.deleted", "file_landed_on"))
        deleted = outdated.withColumns({"deleted_at": F.col("file_landed_on").cast("timestamp"), "said_on": said_on})
        context.lake.upsert("images", deleted.drop("file_landed_on"), when=facts.WHEN, assign=facts.ASSIGN)


def _fold_arrived(context: StepContext) -> None:
    """Fold awaited changes into images that exist by now, whether this run or a concurrent run added the image."""
    lake = context.lake
    if not lake.exists("images_awaited"):
        return
    stored = lake.read("images").select("image_id", *FACTS, "source_uri")
    arrived = checkpointed(lake.read("images_awaited").join(stored, "image_id"))
    if not arrived.isEmpty():
        lake.upsert("images", facts.to_images(arrived), when=facts.ARRIVED_WHEN, assign=facts.ARRIVED_ASSIGN)
        lake.delete_keys("images_awaited", arrived.select("image_id", "said_on"))
