"""Ingest landed records: users, interactions, judgements."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.lake import table_schema
from vsearch_lib.lake.keys import same
from vsearch_lib.landing.account import count_refused, nothing_landed, report_missing
from vsearch_lib.landing.listing import Listing, list_landed
from vsearch_lib.landing.state import LandingState
from vsearch_lib.quarantine.share import check_refused_share
from vsearch_lib.quarantine.table import replace_refusals, sources_with_refusals
from vsearch_lib.records.ingest import RecordKind, landed_records
from vsearch_lib.records.interactions import INTERACTIONS
from vsearch_lib.records.judgements import JUDGEMENTS
from vsearch_lib.records.users import USERS
from vsearch_lib.spark.checkpoint import checkpointed


def ingest_users(context: StepContext, *, retry: bool = False) -> list[Figure]:
    """Ingest the users of the requested landing partitions; data that identifies them goes into `users_pii`."""
    return _ingest(context, USERS, ("users", "users_pii"), retry=retry)


def ingest_interactions(context: StepContext, *, retry: bool = False) -> list[Figure]:
    """Ingest the impressions and clicks of the requested landing partitions."""
    return _ingest(context, INTERACTIONS, ("interactions",), retry=retry)


def ingest_judgements(context: StepContext, *, retry: bool = False) -> list[Figure]:
    """Ingest the human scores of the requested landing partitions."""
    return _ingest(context, JUDGEMENTS, ("judgements",), retry=retry)


def _ingest(context: StepContext, kind: RecordKind, tables: Sequence[str], *, retry: bool) -> list[Figure]:
    """Merge the landed records of `kind` into `tables` (each stores its own columns), and list refused lines."""
    listing = list_landed(f"{context.settings.landing.uri}/{kind.table}", context.dates)
    if retry:
        listing = _only_refused(context, kind.table, listing)
    else:
        report_missing(context, kind.table, listing)
    landing = LandingState.of(context, kind.table, listing, opened=listing.files, tables=tables, retry=retry)
    if (earlier := landing.earlier_figures()) is not None:
        return earlier
    if not listing.files and not listing.refused:
        return nothing_landed(context, kind.table, listing.passed_over)
    landed = landed_records(context.spark, kind, listing, table_schema(kind.table), context.lake.read("erasures"))
    counted = count_refused(landed.rows, landed=F.sum("copies"))
    refusals = checkpointed(landed.refused()) if counted.refused else None
    check_refused_share(context, kind.table, refusals, landed=counted.judged, count=counted.at_fault)
    # A user is written to two tables; `accepted` counts the rows of the table in which more rows changed.
    accepted = max(context.lake.upsert(table, landed.accepted, when=_replaces(kind, table)) for table in tables)
    replace_refusals(context, kind.table, refusals, _sources(context, listing))
    account = counted.account(kind.table, accepted, listing.passed_over)
    context.say(account.line())
    if not counted.unreadable:
        landing.record_ingested(account)
    return account.figures()


def _only_refused(context: StepContext, table: str, listing: Listing) -> Listing:
    """Return the part of `listing` that is in `quarantine`: files, and files in folders that are."""
    sources = set(sources_with_refusals(context, table))

    def is_refused(path: str) -> bool:
        while path and path not in sources:
            path = path.rpartition("/")[0]
        return bool(path)

    return replace(
        listing,
        files=[file for file in listing.files if is_refused(file.path)],
        refused=[file for file in listing.refused if is_refused(file.path)],
        passed_over=Counter(),
    )


def _sources(context: StepContext, listing: Listing) -> DataFrame:
    """Return the sources whose refusals this run replaces: the files it listed, and the folders it could list."""
    paths = [file.path for file in listing.files] + [file.path for file in listing.refused] + listing.folders
    return context.spark.createDataFrame(pa.table({"source": pa.array(paths, pa.string())}))


def _replaces(kind: RecordKind, table: str) -> str:
    """Return the SQL condition on which a landed row replaces the stored row with its key."""
    columns = table_schema(table).names
    if kind.events:
        new, old = (", ".join(f"{side}.`{name}`" for name in columns) for side in ("new", "old"))
        return f"struct({new}) > struct({old})"
    content = [name for name in columns if name != "landed_on"]
    return f"new.landed_on > old.landed_on OR (new.landed_on = old.landed_on AND NOT ({same(content)}))"
