"""
### What a run does

Ingests one landing partition: the pictures, users, interactions and judgements that landed on the run's day. It is due
when the day is over, at midnight UTC. Ingested rows are merged by key: the tables are the same in the end, in whatever
order and however often the days are ingested, and whatever else runs at the same time.

### Ingest days again, or missed days

    airflow backfill create --dag-id ingest --from-date 2026-08-01 --to-date 2026-10-31 --max-active-runs 4 \
        --reprocess-behavior completed

ingests three months again. `--run-backwards` begins with the latest day. Without `--reprocess-behavior` it runs only
days that have not been run yet. The backfill runs beside the nightly schedule. A run started by hand with *date* `all`
looks at every partition, and reads the files that are new to it.

### When a task fails

| exit code | meaning | tried again | what to do |
|---|---|---|---|
| 1 | a failure: of a machine, a disk, the network, the code | 3 times, minutes apart | read the log's last lines |
| 2 | a setting or an argument is wrong | no | correct it, clear the task |
| 3 | more was refused than `quality.max_refused_share` allows | no: the result would be the same | see below |

A task that exits with 3 has not changed its tables. Its log says what was refused, and why. Have the day delivered
again, or raise the limit for the run (*settings*); then clear the task. Clearing a task is always safe.

### Where to look

The last line of a task's log has the run id, the partition, the seconds, the versions of the tables read and written,
and the rows in and out. The asset events have the same as metadata, and the figures are in the lake's table `metrics`.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable
from vsearch_submit import DATE, DEFAULTS, PARAMS, submit_graph

with DAG(
    dag_id="ingest",
    description="Ingest what landed on a day",
    doc_md=__doc__,
    # Explicit, because Airflow's configuration decides what "@daily" means, and a run needs the interval of its day.
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    # Days are independent, so a long night does not delay the next one. A backfill has its own limit.
    max_active_runs=4,
    default_args=DEFAULTS,
    params={"date": DATE, **PARAMS},
    tags=["vsearch"],
):
    submit_graph("ingest")
