"""What the three jobs that take in records do, told apart by the kind of record."""

from collections.abc import Sequence

from pyspark.sql import functions as F

from vsearch_lib.job import Figure, Job
from vsearch_lib.lake import table_schema
from vsearch_lib.lake.computed import computed
from vsearch_lib.lake.tables import same
from vsearch_lib.landing.account import Account
from vsearch_lib.landing.files import RECORD_NAME, files_of_table, landed_again
from vsearch_lib.landing.known import Landing
from vsearch_lib.landing.quarantine import check_share, refused_sources, settle
from vsearch_lib.records.ingest import RecordKind, landed_records


def take_in(job: Job, kind: RecordKind, tables: Sequence[str]) -> list[Figure]:
    """Merge the landed records of `kind` into `tables` (each takes the columns it has) and list the refused lines."""
    place = f"{job.settings.landing.uri}/{kind.table}"
    landing = Landing.of(job, kind.table, place, opened=RECORD_NAME, tables=tables)
    if (known := landing.known()) is not None:
        return known
    if job.retry:
        files = landed_again(job.spark, refused_sources(job, kind.table))
    else:
        files = files_of_table(job.spark, job.settings.landing.uri, kind.table, job.dates)
    if not files:
        return Account(kind.table, landed=0, refused=0, keys=0, accepted=0).figures()
    landed = landed_records(job.spark, kind, files, table_schema(kind.table).names, job.lake.read("erasures"))
    counted = landed.kept.agg(
        F.sum("copies"),
        F.count("reason"),
        F.count(F.when(F.col("reason") == "erased", 1)),
        F.count(F.when(F.col("reason").isNull(), 1)),
    ).collect()[0]
    total, refused, erased, keys = (int(value or 0) for value in counted)
    refusals = computed(landed.refused()) if refused else None
    check_share(job, kind.table, refusals, landed=total, count=refused - erased)
    # A user's row and what identifies the user are written apart; the count is that of the table that moved most.
    accepted = max(job.lake.upsert(table, landed.accepted, when=_newer(kind, table)) for table in tables)
    sources = job.spark.createDataFrame([(file.path,) for file in files], "source string")
    settle(job, kind.table, refusals, sources)
    account = Account(kind.table, landed=total, refused=refused, keys=keys, accepted=accepted)
    job.say(account.line())
    landing.taken_in(account)
    return account.figures()


def _newer(kind: RecordKind, table: str) -> str:
    """Return when a landed row replaces the stored one of its key."""
    columns = table_schema(table).names
    if kind.events:
        new, old = (", ".join(f"{side}.`{name}`" for name in columns) for side in ("new", "old"))
        return f"struct({new}) > struct({old})"
    said = [name for name in columns if name != "landed_on"]
    return f"new.landed_on > old.landed_on OR (new.landed_on = old.landed_on AND NOT ({same(said)}))"
