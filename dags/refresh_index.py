"""
### What a run does

Embeds the pictures that the model has not embedded yet, builds what the served index lacks, usually a delta of a few
megabytes, and moves the pointer of the published index once recall is high enough. It is due when the table `images`
was written; days that were taken in meanwhile are brought to the index together.

It needs a model: the first run of `retrain` makes one.

### When a task fails

**The index that serves does not change until `publish_index` has succeeded.** A failed run leaves the one before in
place; nothing needs to be undone, and the next run builds what is lacking by then.

| exit code | means | tried again | what to do |
|---|---|---|---|
| 1 | something broke: a machine, a disk, the network, the code | 3 times, minutes apart | read the log's last lines |
| 2 | a setting or an argument is wrong | no | correct it, clear the task |
| 3 | a gate refused: too many vectors useless, or recall too low | no: the same data, the same answer | see below |

Of `publish_index`, exit code 3: the log's last line says which kind of query fell short and by how much. The next run
trains another template by itself. If that one falls short too, raise `index.nprobe` or `index.shortlist`, or look at
the embeddings: `vsearch index tune` measures what would reach the limit.

Clearing a task is safe at any time; all tasks and tries of a run carry one run id, which names what the run made.
"""

from airflow.sdk import DAG
from vsearch_submit import DEFAULTS, PARAMS, asset, submit_graph

with DAG(
    dag_id="refresh_index",
    description="Bring new, changed and deleted pictures to the published index",
    doc_md=__doc__,
    schedule=[asset("images")],
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    params=PARAMS,
    tags=["vsearch"],
):
    submit_graph("refresh_index")
