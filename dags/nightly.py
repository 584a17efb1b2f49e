"""
### What a night does

Takes in what landed during the day that has just ended, embeds the pictures that are new, builds an index, and moves
the pointer of the published index once recall is high enough. The steps and their order are those of
`vsearch_lib/steps.py`; `vsearch run nightly` runs the same ones without Airflow.

Each task is one `spark-submit jobs/<task>.py`. The run is due at midnight UTC and takes the landing partition
`date=` of the day before. A run started by hand does the same, unless *date* names another day, or `all`.

### When a task fails

**The index that serves does not change until `publish_index` has succeeded.** A failed night leaves yesterday's in
place; nothing needs to be undone.

| exit code | means | tried again | what to do |
|---|---|---|---|
| 1 | something broke: a machine, a disk, the network, the code | 3 times, minutes apart | read the log's last lines |
| 2 | a setting or an argument is wrong | no | correct it, clear the task |
| 3 | a gate refused: too much bad input, or recall too low | no: the same data, the same answer | see below |

A task that exits with 3 has left its tables and the pointer as they were. The last line of its log names what was
measured and the limit it missed. Of an ingest task: have the day delivered again, or, if that share of bad input is
acceptable, raise `quality.max_refused_share`; then clear the task, and the night goes on from there. Of
`publish_index`: the gate's report says which kind of query fell short; correct the settings of the index, then clear
`build_index` and what follows it. Publishing the same candidate again would get the same answer.

### Running it again

Clearing a task is safe at any time: every write replaces what the same input wrote before. All tasks and tries of a
run carry one run id (`--run-id`), which is in the history of each table they wrote, in `metrics`, in the model's card,
and is the version of the index that the run published. A version is published once, and never over a newer one:
clearing an old run takes its data in again and leaves the pointer alone.

Days missed while Airflow was down are not caught up by themselves. Start a run by hand with *date* set to the day, or
to `all`: it is a new run, and what it builds is published.

### Where to look

- The task's log holds the job's whole output: the command line at the top, one line that says what happened at the end.
- *Rendered templates* of a task shows the arguments it got, the run id among them.
- The table `metrics` in the lake has the figures of every run, by run id.

### What it needs

- The pool that all tasks share: `airflow pools set spark 1 "Spark jobs at a time"`. One slot suits one machine; on a
  cluster, four let the ingest tasks run side by side. Without the pool tasks stay *scheduled* and never start.
- The connection `spark_default`, of type Spark, its host the master: `local[*]` or `spark://host:7077`, in client mode
  (in cluster mode the exit code stays with the cluster). A missing connection shows as `--master yarn` in the log.
- With a local master, `SPARK_LOCAL_IP=127.0.0.1` in Airflow's environment keeps Spark off the network.
- The variable `vsearch_env`, the configuration of runs that name none: `local` where it is not set.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable
from vsearch_submit import DEFAULTS, PARAMS, submit

from vsearch_lib.steps import GRAPHS

with DAG(
    dag_id="nightly",
    description="Take in a day's landing, embed what is new, publish an index that passed its gate",
    doc_md=__doc__,
    # Named, because "@daily" means an interval or a moment by Airflow's configuration, and a run here has a day.
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    params=PARAMS,
    tags=["vsearch"],
):
    tasks = {step.job: submit(step) for step in GRAPHS["nightly"]}
    for step in GRAPHS["nightly"]:
        tasks[step.job].set_upstream([tasks[job] for job in step.after])
