"""
### What a run does

Embeds the pictures that the model has not embedded yet, builds what the served index lacks, usually a delta of a few
megabytes, and moves the pointer of the published index once recall is high enough. It is due when the table `images`
was written; days that were ingested in the meantime reach the index together.

It needs a model: the first run of `retrain` makes one.

### When a task fails

**The served index does not change until `publish_index` has succeeded.** After a failed run the previous index stays;
nothing needs to be undone, and the next run builds what is missing then.

| exit code | meaning | tried again | what to do |
|---|---|---|---|
| 1 | a failure: of a machine, a disk, the network, the code | 3 times, minutes apart | read the log's last lines |
| 2 | a setting or an argument is wrong | no | correct it, clear the task |
| 3 | a gate refused: too many bad vectors, or too low recall | no: the result would be the same | see below |

If `publish_index` exits with 3, the log's last line says which stratum of queries missed the limit and by how much. The
next run trains a new template by itself. If that one misses the limit too, raise `index.nprobe` or `index.shortlist`,
or look at the embeddings: `vsearch index tune` measures which settings would reach the limit.

Clearing a task is safe at any time. All tasks and tries of a run have the same run id, which names what the run made.
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
