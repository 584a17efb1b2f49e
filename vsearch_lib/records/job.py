"""What the three jobs that take in records do, told apart by the kind of record."""

from collections.abc import Sequence
from datetime import UTC, datetime

from vsearch_lib.job import Figure, Job
from vsearch_lib.landing.files import files_of_table
from vsearch_lib.landing.refusal import check_refused_share
from vsearch_lib.records.ingest import RecordKind, landed_records, refused_rows


def take_in(job: Job, kind: RecordKind, tables: Sequence[str]) -> list[Figure]:
    """Merge the landed records of `kind` into `tables` (each takes the columns it has) and list the refused lines."""
    paths = files_of_table(job.spark, job.settings.landing.uri, kind.table, job.dates)
    if not paths:
        return [Figure(f"{kind.table}_landed", 0)]
    landed = landed_records(job.spark, kind, paths)
    counts = landed.checked.groupBy(landed.checked["reason"].isNull().alias("accepted")).count().collect()
    by_verdict = {row["accepted"]: int(row["count"]) for row in counts}
    refused = by_verdict.get(False, 0)
    total = refused + by_verdict.get(True, 0)
    check_refused_share(kind.table, landed=total, refused=refused, limit=job.settings.quality.max_refused_share)
    for table in tables:
        job.lake.upsert(table, landed.accepted)
    if refused:
        job.lake.insert_new("quarantine", refused_rows(landed, kind.table, job.run_id, datetime.now(UTC)))
    landed.checked.unpersist()
    return [Figure(f"{kind.table}_landed", total), Figure(f"{kind.table}_refused", refused)]
