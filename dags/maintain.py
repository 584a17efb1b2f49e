"""
### What a run does

Merges the tables' small files and deletes files that no reader can need any more (`maintenance.retention_hours`).
Removes erased images from the index, even if nothing new has landed. Deletes versions of the index beyond
`index.retained_versions` that have been out of use for `index.unused_hours`. Due on Saturdays.

After an erasure, this DAG removes the last copies: in the lake's history once it is older than the retention, and in
older versions of the index once they are out of use. Start it by hand if a request cannot wait for Saturday.

### When a task fails

The exit codes have the same meaning as in `refresh_index`. Every task may be cleared at any time.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable
from vsearch_submit import DEFAULTS, PARAMS, submit_graph

with DAG(
    dag_id="maintain",
    description="Merge small files, delete what is out of use or erased",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 10 * * 6", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    params=PARAMS,
    tags=["vsearch"],
):
    submit_graph("maintain")
