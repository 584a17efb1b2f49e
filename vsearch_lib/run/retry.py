"""Take in again what was refused, after the input was mended."""

from collections.abc import Sequence

from vsearch_lib.config import Settings
from vsearch_lib.context import StepContext
from vsearch_lib.lake import Lake
from vsearch_lib.lake.metrics import record
from vsearch_lib.quarantine.listing import listed
from vsearch_lib.run.bodies import body_of

# Table → the job that refuses what was going there.
WRITTEN_BY = {
    **{table: f"ingest_{table}" for table in ("images", "users", "interactions", "judgements")},
    "embeddings": "embed_images",
}


def retry(lake: Lake, settings: Settings, tables: Sequence[str]) -> list[str]:
    """Run the jobs that write `tables` over what is refused, and return what they had to say, and what is left."""
    said: list[str] = []
    for table in tables:
        context = StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=said.append)
        record(lake, body_of(WRITTEN_BY[table])(context, retry=True))
        left = listed(lake, table=table, reason=None).count()
        said.append(f"{table}: {left} refused items are left")
    return said
