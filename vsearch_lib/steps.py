"""The step graph: which job follows which. The DAGs and the local runner both read it, and nothing else decides order.

Plain data without imports of weight: Airflow parses it every few seconds.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A node: the job `jobs/<job>.py`, the jobs that must have ended before, and what the job is for."""

    job: str
    after: tuple[str, ...]
    does: str
    arguments: tuple[str, ...] = ()


_INGEST = (
    Step("ingest_images", (), "take in landed pictures"),
    Step("ingest_users", (), "take in landed users"),
    Step("ingest_interactions", (), "take in landed impressions and clicks"),
    Step("ingest_judgements", (), "take in landed human scores"),
)
_PUBLISH = (
    Step("embed_images", ("train_encoder",), "embed what this model has not embedded yet"),
    Step("build_index", ("embed_images",), "build what the served index lacks"),
    Step("publish_index", ("build_index",), "check recall, then move the pointer"),
    Step("evaluate", ("publish_index",), "measure the published index, draw the page"),
)

GRAPHS: dict[str, tuple[Step, ...]] = {
    # The encoder is trained on the first night only: without --retrain both steps leave an existing model alone.
    "nightly": (
        *_INGEST,
        # Nothing waits for it, and it comes before what a gate may refuse: that is when it is looked at.
        Step("profile_lake", tuple(step.job for step in _INGEST), "measure what the lake holds, draw the page"),
        Step("build_training_examples", tuple(step.job for step in _INGEST), "choose queries, positives, negatives"),
        Step("train_encoder", ("build_training_examples",), "train where there is no model yet"),
        *_PUBLISH,
    ),
    "retrain": (
        Step("build_training_examples", (), "choose queries, positives, negatives", ("--retrain",)),
        Step("train_encoder", ("build_training_examples",), "train a new model", ("--retrain",)),
        *_PUBLISH,
    ),
    "compact": (
        Step("build_index", (), "write all shards anew, deltas folded in", ("--compact",)),
        Step("publish_index", ("build_index",), "check recall, then move the pointer"),
    ),
    "maintain": (Step("maintain_tables", (), "merge small files, delete files out of use"),),
}


def in_order(graph: tuple[Step, ...]) -> list[Step]:
    """Return the steps so that each comes after those it waits for, otherwise as written.

    Raises:
        ValueError: a step waits for one that is not in the graph, or the graph has a cycle.
    """
    done: list[Step] = []
    waiting = list(graph)
    while waiting:
        ready = next((s for s in waiting if all(any(d.job == a for d in done) for a in s.after)), None)
        if ready is None:
            raise ValueError(f"these steps wait for one another or for a missing one: {[s.job for s in waiting]}")
        waiting.remove(ready)
        done.append(ready)
    return done
