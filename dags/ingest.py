"""
### What a run does

Takes in one landing partition: the pictures, users, interactions and judgements that landed on the run's day. It is due
when the day is over, at midnight UTC. What is taken in is merged by key: the tables come out the same whichever
days come first, however often they come, and whatever else runs beside them.

### Days again, days missed

    airflow backfill create --dag-id ingest --from-date 2026-08-01 --to-date 2026-10-31 --max-active-runs 4 \
        --reprocess-behavior completed

takes in three months again; `--run-backwards` begins with the latest, and without `--reprocess-behavior` only days that
have not been run yet are. It runs beside the nightly schedule. A run started by hand with *date* `all` looks at every
partition there is, and reads what it does not know yet.

### When a task fails

| exit code | means | tried again | what to do |
|---|---|---|---|
| 1 | something broke: a machine, a disk, the network, the code | 3 times, minutes apart | read the log's last lines |
| 2 | a setting or an argument is wrong | no | correct it, clear the task |
| 3 | more was refused than `quality.max_refused_share` allows | no: the same data, the same answer | see below |

A task that exits with 3 has left its tables as they were. Its log says what was refused, and why. Have the day
delivered again, or raise the limit for the run (*settings*); then clear the task. Clearing a task is always safe.

### Where to look

The last line of a task's log: run id, partition, seconds, versions of the tables read and written, rows in and out. The
same is the metadata of the asset events, and the figures are in the lake's table `metrics`.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable
from vsearch_submit import DATE, DEFAULTS, PARAMS, submit_graph

with DAG(
    dag_id="ingest",
    description="Take in what landed on a day",
    doc_md=__doc__,
    # Named, because "@daily" means an interval or a moment by Airflow's configuration, and a run here has a day.
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    # A backfill brings its own limit. A night that lasts until the next one does not hold it up: days are independent.
    max_active_runs=4,
    default_args=DEFAULTS,
    params={"date": DATE, **PARAMS},
    tags=["vsearch"],
):
    submit_graph("ingest")
