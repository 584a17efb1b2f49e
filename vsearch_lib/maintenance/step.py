"""Merge the small files of every table, and delete the files that no reader can still need."""

from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.lake import table_names
from vsearch_lib.lake.maintenance import check_retention, maintain


def maintain_tables(context: StepContext) -> list[Figure]:
    """Maintain each table that exists; return its counts of files, with the table as the subject."""
    limits = context.settings.maintenance
    check_retention(retention_hours=limits.retention_hours, longest_reader_hours=limits.longest_reader_hours)
    if not context.settings.training.views:
        context.lake.delete("view_features", F.lit(True))  # only trainings with views replace and need them
    tables = [table for table in table_names() if context.lake.exists(table)]
    figures: list[Figure] = []
    for done, table in enumerate(tables, start=1):
        upkeep = maintain(context.lake, table, retention_hours=limits.retention_hours)
        figures += [Figure(metric, value, subject=table) for metric, value in vars(upkeep).items()]
        context.progress(done, len(tables))
    total = {metric: sum(f.value for f in figures if f.metric == metric) for metric in {f.metric for f in figures}}
    if tables:
        context.say(
            f"maintain_tables: {len(tables)} tables, {total['files_before']:.0f} files became "
            f"{total['files_after']:.0f}, {total['files_vacuumed']:.0f} deleted that were out of use for "
            f"{limits.retention_hours} h"
        )
    return figures
