"""The step graph: which job follows which. The DAGs and the local runner both read it, and nothing else decides order.

Plain data without imports of weight: Airflow parses it every few seconds.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Step:
    """A node: the job `jobs/<job>.py`, the jobs that must have ended before, and what the job is for.

    Attributes:
        by_day: whether it takes in landing partitions, those that the run names.
        writes: what others may wait for: tables of the lake, and `index`, the published one.
    """

    job: str
    after: tuple[str, ...]
    does: str
    arguments: tuple[str, ...] = ()
    by_day: bool = False
    writes: tuple[str, ...] = ()


Graph = tuple[Step, ...]


def _after(before: Graph, graph: Graph) -> Graph:
    """Return `graph` so that what waits for nothing in it waits for the ends of `before`."""
    ends = tuple(step.job for step in before if not any(step.job in other.after for other in before))
    return tuple(step if step.after else replace(step, after=ends) for step in graph)


_INGEST = (
    Step("ingest_images", (), "take in landed pictures", by_day=True, writes=("images",)),
    Step("ingest_users", (), "take in landed users", by_day=True, writes=("users",)),
    Step("ingest_interactions", (), "take in landed impressions and clicks", by_day=True, writes=("interactions",)),
    Step("ingest_judgements", (), "take in landed human scores", by_day=True, writes=("judgements",)),
)
# The encoder is trained on the first night only: without --retrain both steps leave an existing model alone.
_TRAIN = (
    Step("build_training_examples", (), "choose queries, positives, negatives", writes=("training_examples",)),
    Step("train_encoder", ("build_training_examples",), "make a model where there is none yet"),
)
_RETRAIN = (
    replace(_TRAIN[0], arguments=("--retrain",)),
    replace(_TRAIN[1], arguments=("--retrain",), does="make a new model"),
)
_COMPARE = (Step("compare_models", (), "promote the new model where it ranks no worse than the one in use"),)
_PUBLISH = (
    Step("build_index", (), "build what the served index lacks"),
    Step("publish_index", ("build_index",), "check recall, then move the pointer", writes=("index",)),
)
_COMPACT = (
    replace(_PUBLISH[0], does="write all shards anew, deltas folded in", arguments=("--compact",)),
    _PUBLISH[1],
)
_EMBED = (Step("embed_images", (), "embed what this model has not embedded yet", writes=("embeddings",)),)
_REFRESH = (*_EMBED, *_after(_EMBED, _PUBLISH))
_PROFILE = (Step("profile_lake", (), "measure what the lake holds, draw the page"),)
_ONLINE = (Step("measure_online", (), "measure what people clicked, and drift; draw the page"),)
_EVALUATE = (Step("evaluate", (), "measure the published index, draw the page"),)
_MAINTAIN = (Step("maintain_tables", (), "merge small files, delete files out of use"),)
_COLLECT = (Step("collect_index", (), "delete versions of the index that are out of use"),)

GRAPHS: dict[str, Graph] = {
    "ingest": _INGEST,
    "refresh_index": _REFRESH,
    "retrain": (
        *_RETRAIN,
        *_after(_TRAIN, _COMPARE),
        *_after(_COMPARE, _REFRESH),
        *_after(_REFRESH, _EVALUATE),
    ),
    "measure": (*_PROFILE, *_ONLINE, *_EVALUATE),
    # What was erased since leaves the index here, whether or not anything new comes.
    "maintain": (*_MAINTAIN, *_after(_MAINTAIN, _PUBLISH), *_after(_PUBLISH, _COLLECT)),
    "compact": _COMPACT,
    # All of a night in one: what a local run does.
    "nightly": (
        *_INGEST,
        # Nothing waits for it, and it comes before what a gate may refuse: that is when it is looked at.
        *_after(_INGEST, _PROFILE),
        *_after(_INGEST, _TRAIN),
        *_after(_TRAIN, _EMBED),
        # Nothing waits for this one either.
        *_after(_EMBED, _ONLINE),
        *_after(_EMBED, _PUBLISH),
        *_after(_PUBLISH, _EVALUATE),
    ),
}


def in_order(graph: Graph) -> list[Step]:
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
