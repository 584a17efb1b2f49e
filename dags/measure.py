"""
### What a run does

Measures what the lake holds (images a day, tags, sizes, what is refused, what is never shown); what users clicked in
the last days (by day, arm of an experiment, version of the index); and how the published index answers judged queries,
compared with simple baselines. `monitor` looks for drift, missing data, growing refusals, low recall on live queries,
and images that lake and index do not both have. Each task writes a page below `reports.uri` and names it in its log;
the figures are in the lake's table `metrics`, by run id.

Alerts of `monitor` are posted to the connection `vsearch_alert`, a line each; the task succeeds all the same, unless
the setting `monitoring.fail_on_alert` is true (then its exit code is 3). `docs/monitoring.md` explains the checks, and
`docs/runbook.md` what to do.

Nothing depends on this DAG: after a failure, yesterday's pages stay. `evaluate` fails if nothing is published yet.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable
from vsearch_submit import DEFAULTS, PARAMS, submit_graph

with DAG(
    dag_id="measure",
    description="Measure the lake and the published index, write the pages",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 6 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    params=PARAMS,
    tags=["vsearch"],
):
    submit_graph("measure")
