"""Which kind of version a night builds, a delta, a compaction or a rebuild; measures decide, and a reason is given."""

from dataclasses import asdict, dataclass

from vsearch_lib.artefact.manifest import Kind, Manifest

# With four times its rows, a template of 4·√N lists costs twice as much a query as a new one with the same nprobe.
MAX_GROWTH = 4.0
# Growth of faiss's imbalance factor, which is the cost of a query relative to one over equal lists.
MAX_IMBALANCE_GROWTH = 1.5
# Growth of the newest vectors' quantization error, relative to the newest vectors when the template was new.
MAX_ERROR_GROWTH = 1.2
# Every query reads and drops dead rows; rows in deltas are spread over more files and lists.
MAX_DEAD_SHARE = 0.1
MAX_DELTA_SHARE = 0.25
MAX_DELTAS = 30


@dataclass(frozen=True)
class KindChoice:
    """What to build: `full` trains a new template, `compacted` writes all shards from the old one."""

    kind: Kind
    reason: str


@dataclass(frozen=True)
class Target:
    """What the settings and the model ask for; `factory` is "auto" if the catalogue's size decides."""

    model: str
    factory: str
    shards: int


def choose_kind(served: Manifest | None, wanted: Target, *, refused_template: str | None, compact: bool) -> KindChoice:
    """Return what to build next; `refused_template` is the sha256 of the template that the gate refused last."""
    if served is None:
        return KindChoice("full", "nothing is published yet")
    if reason := _target_changed(served, wanted) or _template_unsuited(served):
        return KindChoice("full", reason)
    if refused_template == served.template.sha256:
        return KindChoice("full", "the gate refused what was built from the served template")
    if compact:
        return KindChoice("compacted", "asked for")
    if reason := _fragmented(served):
        return KindChoice("compacted", reason)
    return KindChoice("delta", f"on {served.version}")


def _target_changed(served: Manifest, wanted: Target) -> str | None:
    if served.model.version != wanted.model:
        return f"the model is {wanted.model}, and {served.model.version} is served"
    if wanted.factory not in ("auto", served.factory):
        return f"index.factory is {wanted.factory}, and {served.factory} is served"
    if served.counts["shards"] != wanted.shards:
        return f"index.shards is {wanted.shards}, and {served.counts['shards']} are served"
    return None


def _template_unsuited(served: Manifest) -> str | None:
    """Return why the template no longer suits the rows, None if it still does."""
    measures = served.measures
    if measures.template is None or measures.now is None:
        return None
    new, now = asdict(measures.template), asdict(measures.now)
    limits = {"rows": MAX_GROWTH, "imbalance": MAX_IMBALANCE_GROWTH, "quantization_error": MAX_ERROR_GROWTH}
    for measure, limit in limits.items():
        if new[measure] and now[measure] > limit * new[measure]:
            return f"{measure} is {now[measure]:g}, over {limit:g} times the {new[measure]:g} of the new template"
    return None


def _fragmented(served: Manifest) -> str | None:
    """Return why deltas and dead rows should be folded into the shards, None if they need not be."""
    rows, counts = served.rows, served.counts
    shares = {
        "of the rows are dead": (counts["dead"], MAX_DEAD_SHARE),
        "of the rows are in deltas": (sum(delta.rows for delta in served.deltas), MAX_DELTA_SHARE),
    }
    for what, (count, limit) in shares.items():
        if count > limit * rows:
            return f"{count / rows:.1%} {what}, over {limit:.0%}"
    # A night that only deletes images adds a file of tombstones.
    files = max(len(served.deltas), len(served.tombstones))
    return f"{files} deltas, over {MAX_DELTAS}" if files > MAX_DELTAS else None
