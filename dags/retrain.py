"""
### What a run does

Chooses training examples anew, trains a model on them, embeds every picture with it, builds an index of its vectors
with a template of its own, and publishes that once recall is high enough. Due on Sundays, and by hand: the first run in
a new place makes the first model.

**Until `publish_index` has succeeded, the old model's index serves**, and its vectors stay in the table.

### When a task fails

The exit codes mean what they mean in `refresh_index`. Training ends by its own limit, `training.max_minutes`. Embedding
goes on where it was: what is embedded stays embedded.

The newest model of the configured recipe is the one that nights work with, from the moment it is trained. A model that
should not be: delete its folder below `models.uri`, its `card.json` first; the one before is then the newest again.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable
from vsearch_submit import DEFAULTS, PARAMS, submit_graph

with DAG(
    dag_id="retrain",
    description="Train a new model, embed everything with it, publish its index",
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
