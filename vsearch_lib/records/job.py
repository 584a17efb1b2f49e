"""What the three jobs that take in records do, told apart by the kind of record."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.job import Figure, Job
from vsearch_lib.lake import table_schema
from vsearch_lib.lake.computed import computed
from vsearch_lib.lake.tables import same
from vsearch_lib.landing.account import count_refused, nothing_landed, say_missing
from vsearch_lib.landing.known import Landing
from vsearch_lib.landing.listing import Listing, list_landed
from vsearch_lib.landing.quarantine import check_share, refused_sources, settle
from vsearch_lib.records.ingest import RecordKind, landed_records


def take_in(job: Job, kind: RecordKind, tables: Sequence[str]) -> list[Figure]:
    """Merge the landed records of `kind` into `tables` (each takes the columns it has) and list the refused lines."""
    listing = list_landed(f"{job.settings.landing.uri}/{kind.table}", job.dates)
    if job.retry:
        listing = _listed_as_refused(job, kind.table, listing)
    else:
        say_missing(job, kind.table, listing)
    landing = Landing.of(job, kind.table, listing, opened=listing.files, tables=tables)
    if (known := landing.known()) is not None:
        return known
    if not listing.files and not listing.refused:
        return nothing_landed(job, kind.table, listing.passed_over)
    landed = landed_records(job.spark, kind, listing, table_schema(kind.table).names, job.lake.read("erasures"))
    counted = count_refused(landed.kept, landed=F.sum("copies"))
    refusals = computed(landed.refused()) if counted.refused else None
    check_share(job, kind.table, refusals, landed=counted.judged, count=counted.at_fault)
    # A user's row and what identifies the user are written apart; the count is that of the table that moved most.
    accepted = max(job.lake.upsert(table, landed.accepted, when=_newer(kind, table)) for table in tables)
    settle(job, kind.table, refusals, _sources(job, listing))
    account = counted.account(kind.table, accepted, listing.passed_over)
    job.say(account.line())
    if not counted.unreadable:
        landing.taken_in(account)
    return account.figures()


def _listed_as_refused(job: Job, table: str, listing: Listing) -> Listing:
    """Return of a listing the files that are listed as refused, and those in folders that are."""
    sources = set(refused_sources(job, table))

    def is_listed(path: str) -> bool:
        while path and path not in sources:
            path = path.rpartition("/")[0]
        return bool(path)

    return replace(
        listing,
        files=[file for file in listing.files if is_listed(file.path)],
        refused=[file for file in listing.refused if is_listed(file.path)],
        passed_over=Counter(),
    )


def _sources(job: Job, listing: Listing) -> DataFrame:
    """Return the files, and the folders by now readable, that this run has found anything out about."""
    paths = [file.path for file in listing.files] + [file.path for file in listing.refused] + listing.folders
    return job.spark.createDataFrame(pa.table({"source": pa.array(paths, pa.string())}))


def _newer(kind: RecordKind, table: str) -> str:
    """Return when a landed row replaces the stored one of its key."""
    columns = table_schema(table).names
    if kind.events:
        new, old = (", ".join(f"{side}.`{name}`" for name in columns) for side in ("new", "old"))
        return f"struct({new}) > struct({old})"
    said = [name for name in columns if name != "landed_on"]
    return f"new.landed_on > old.landed_on OR (new.landed_on = old.landed_on AND NOT ({same(said)}))"
