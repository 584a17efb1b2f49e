"""The landing partitions that a retry reads again."""

from datetime import date

from vsearch_lib.context import StepContext
from vsearch_lib.landing.listing import named_day
from vsearch_lib.quarantine.table import sources_with_refusals


def refused_days(context: StepContext, table: str) -> tuple[date, ...] | None:
    """Return the landing partitions of `sources_with_refusals`, None if a source lies outside all partitions."""
    days = {named_day(source) for source in sources_with_refusals(context, table)}
    return None if None in days else tuple(sorted(day for day in days if day))
