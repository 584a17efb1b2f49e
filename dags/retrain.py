"""
### What a run does

Chooses new training examples, trains a model on them, and compares it with the model in use on test images that no
training sees: on judged queries, else on clicked ones, else on parts of pictures. If the new model is no worse, it is
promoted: every picture is embedded with it, an index of its vectors is built with a new template, and the index is
published once recall is high enough. Due on Sundays, and by hand: the first run of a new installation makes the first
model.

If the training learns nothing, there is no new model. Then the run succeeds too, with the model in use: the logs of
`train_encoder` and `compare_models` say so in one line each.

**Until `publish_index` has succeeded, the old model's index is served**, and its vectors stay in the table.

### When a task fails

The exit codes have the same meaning as in `refresh_index`. If training takes longer than the task's time limit, the
next try on the same machine goes on after the last whole epoch. Embedding goes on where it stopped: saved vectors stay.

`compare_models` fails with exit code 3 if the new model is worse, or may be worse, by more than `gate.max_ndcg_loss` or
`gate.max_neighbour_loss`, or if there are fewer than `gate.min_compared_queries` queries of each kind. The log's last
line has the figures, and says what to do. Nights then go on with the model in use, even if the settings
name another recipe (backbone, dimension, input size, weights). `vsearch models list` shows both models. `vsearch models
promote VERSION` decides by hand: then trigger `refresh_index`, which embeds with that model and publishes its index.
The same command also puts an earlier model back, whose vectors are still stored.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable
from vsearch_submit import DEFAULTS, PARAMS, submit_graph

with DAG(
    dag_id="retrain",
    description="Train a model; if it ranks no worse, embed everything with it and publish its index",
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
