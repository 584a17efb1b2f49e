"""
### What a run does

Chooses training examples anew, trains a model on them, and compares it with the model in use: both rank the judged
queries that training never saw. One that ranks no worse is promoted: every picture is embedded with it, an index of
its vectors built with a template of its own, and that published once recall is high enough. Due on Sundays, and by
hand: the first run in a new place makes the first model.

**Until `publish_index` has succeeded, the old model's index serves**, and its vectors stay in the table.

### When a task fails

The exit codes mean what they mean in `refresh_index`. Training that takes longer than the task's time limit begins
anew at the next try: give it fewer `training.epochs`. Embedding goes on where it was: what is embedded stays embedded.

`compare_models` fails with exit code 3 where the new model ranks worse by more than `gate.max_ndcg_loss`, or nobody
judged a query; nights go on with the model in use, also if the settings ask for another recipe (backbone, dimension,
input size, weights) than that one has. `vsearch models list` shows both, and `vsearch models promote
VERSION` decides by hand: trigger `refresh_index`, which embeds with that model and publishes its index. The same
command puts an earlier model back, whose vectors are still there.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable
from vsearch_submit import DEFAULTS, PARAMS, submit_graph

with DAG(
    dag_id="retrain",
    description="Train a model; where it ranks no worse, embed everything with it and publish its index",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 8 * * 0", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    params=PARAMS,
    tags=["vsearch"],
):
    submit_graph("retrain")
