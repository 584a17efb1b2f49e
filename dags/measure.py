"""
### What a run does

Measures what the lake holds (images a day, tags, sizes, what is refused, what is never shown); what users clicked in
the last days (by day, arm of an experiment, version of the index) and how far uploads and queries have drifted; and how
the published index answers judged queries, compared with simple baselines. Each task writes a page below `reports.uri`
and names it in its log; the figures are in the lake's table `metrics`, by run id.

Drift is an energy distance of vectors, 0 if nothing changed; the line *by chance* shows how far apart two halves of the
earlier weeks are. If the drift is several times that, look at what was uploaded or searched for; a new model may help.

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
