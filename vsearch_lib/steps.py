"""The step graphs: which step follows which. The DAGs and the local runner both read them; nothing else orders steps.

Only data, without heavy imports: Airflow parses this module every few seconds.
"""

from dataclasses import dataclass, replace

from vsearch_lib.options import Build, Comparison, Ingestion, Options, Training

_NONE = Options()


@dataclass(frozen=True)
class Step:
    """A node of a graph: a step, the steps that must end before it, and its purpose.

    Attributes:
        name: its job is `jobs/<name>.py`, and its body is the function of that name in `module`.
        options: the switches that it accepts, with their values in this graph.
        by_day: whether it ingests landing partitions, those that the run names.
        writes: what other steps may wait for: tables of the lake, and `index`, the published one.
    """

    name: str
    module: str
    does: str
    after: tuple[str, ...] = ()
    options: Options = _NONE
    by_day: bool = False
    writes: tuple[str, ...] = ()


Graph = tuple[Step, ...]


def _after(before: Graph, graph: Graph) -> Graph:
    """Return `graph` with its first steps waiting for the last steps of `before`."""
    ends = tuple(step.name for step in before if not any(step.name in other.after for other in before))
    return tuple(step if step.after else replace(step, after=ends) for step in graph)


_INGEST = (
    Step(
        "ingest_images",
        "vsearch_lib.images.step",
        "ingest landed pictures",
        options=Ingestion(),
        by_day=True,
        writes=("images",),
    ),
    *(
        Step(
            f"ingest_{table}",
            "vsearch_lib.records.step",
            f"ingest landed {records}",
            options=Ingestion(),
            by_day=True,
            writes=(table,),
        )
        for table, records in (
            ("users", "users"),
            ("interactions", "impressions and clicks"),
            ("judgements", "human scores"),
        )
    ),
)
# A night trains only if the configured recipe has no model: without `retrain` both steps leave an existing one alone.
_TRAIN = (
    Step(
        "build_training_examples",
        "vsearch_lib.examples.step",
        "choose queries, positives, negatives",
        options=Training(),
        writes=("training_examples",),
    ),
    Step(
        "train_encoder",
        "vsearch_lib.training.step",
        "make a model if there is none yet",
        after=("build_training_examples",),
        options=Training(),
    ),
)
_RETRAIN = (
    replace(_TRAIN[0], options=Training(retrain=True)),
    replace(_TRAIN[1], options=Training(retrain=True), does="make a new model"),
)
# If the new model is refused, a night goes on with the model in use, but a retraining fails. If a retraining made no
# new model, because it learnt nothing, it goes on too.
_COMPARE = (
    Step(
        "compare_models",
        "vsearch_lib.measure.comparison.step",
        "promote a new model if it ranks no worse than the one in use",
        options=Comparison(),
    ),
)
_MUST_PROMOTE = (replace(_COMPARE[0], options=Comparison(strict=True)),)
_PUBLISH = (
    Step("build_index", "vsearch_lib.index.step", "build what the served index lacks", options=Build()),
    Step(
        "publish_index",
        "vsearch_lib.publishing.step",
        "check recall, then move the pointer",
        after=("build_index",),
        writes=("index",),
    ),
)
_COMPACT = (
    replace(_PUBLISH[0], does="write all shards again, with the deltas folded in", options=Build(compact=True)),
    _PUBLISH[1],
)
_EMBED = (
    Step(
        "embed_images",
        "vsearch_lib.embedding.step",
        "embed what this model has not embedded yet",
        options=Ingestion(),
        writes=("embeddings",),
    ),
)
_REFRESH = (*_EMBED, *_after(_EMBED, _PUBLISH))
_PROFILE = (Step("profile_lake", "vsearch_lib.measure.profile.step", "measure what the lake holds, draw the page"),)
_ONLINE = (Step("measure_online", "vsearch_lib.measure.online.step", "measure what people clicked, draw the page"),)
_MONITOR = (Step("monitor", "vsearch_lib.measure.monitoring.step", "look for drift, for gaps, for differences"),)
_EVALUATE = (Step("evaluate", "vsearch_lib.measure.offline.step", "measure the published index, draw the page"),)
_MAINTAIN = (Step("maintain_tables", "vsearch_lib.maintenance.step", "merge small files, delete files out of use"),)
_COLLECT = (Step("collect_index", "vsearch_lib.publishing.step", "delete versions of the index that are out of use"),)

GRAPHS: dict[str, Graph] = {
    "ingest": _INGEST,
    "refresh_index": _REFRESH,
    "retrain": (
        *_RETRAIN,
        *_after(_TRAIN, _MUST_PROMOTE),
        *_after(_COMPARE, _REFRESH),
        *_after(_REFRESH, _EVALUATE),
    ),
    "measure": (*_PROFILE, *_ONLINE, *_MONITOR, *_EVALUATE),
    # This removes erased images from the index even if nothing new comes.
    "maintain": (*_MAINTAIN, *_after(_MAINTAIN, _PUBLISH), *_after(_PUBLISH, _COLLECT)),
    "compact": _COMPACT,
    # A whole night in one graph, for a local run.
    "nightly": (
        *_INGEST,
        *_after(_INGEST, _TRAIN[:1]),
        # Nothing waits for these two pages, which need no index. They come before the gates: users read them when a
        # gate has refused.
        *_after(_INGEST, _PROFILE),
        *_after(_INGEST, _ONLINE),
        *_TRAIN[1:],
        *_after(_TRAIN, _COMPARE),
        *_after(_COMPARE, _EMBED),
        *_after(_EMBED, _PUBLISH),
        *_after(_PUBLISH, _MONITOR),
        *_after(_PUBLISH, _EVALUATE),
    ),
}

STEPS: dict[str, Step] = {step.name: step for graph in GRAPHS.values() for step in graph}


def in_order(graph: Graph) -> list[Step]:
    """Return the steps so that each comes after those it waits for, otherwise in the order of `graph`.

    Raises:
        ValueError: a step waits for one that is not in the graph, or the graph has a cycle.
    """
    done: list[Step] = []
    waiting = list(graph)
    while waiting:
        ready = next((s for s in waiting if all(any(d.name == a for d in done) for a in s.after)), None)
        if ready is None:
            raise ValueError(f"these steps wait for one another or for a missing one: {[s.name for s in waiting]}")
        waiting.remove(ready)
        done.append(ready)
    return done
