"""
### What a run does

Measures what the lake holds (images a day, tags, sizes, what is refused, what is never shown), what people clicked in
the last days (by day, arm of an experiment, version of the index) and how far uploads and queries have drifted, and
what the published index answers to judged queries, beside plain baselines. Each draws a page below `reports.uri`,
named in the task's log; the figures are in the lake's table `metrics`, by run id.

Drift is an energy distance of vectors, 0 where nothing changed; the line *by chance* says how far from 0 two halves of
the earlier weeks are. Several times that is worth a look at what was uploaded or asked, and then a new model.

Nothing depends on it: a failure leaves yesterday's pages. `evaluate` fails where nothing is published yet.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable
from vsearch_submit import DEFAULTS, PARAMS, submit_graph

with DAG(
    dag_id="measure",
    description="Measure the lake and the published index, draw the pages",
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
