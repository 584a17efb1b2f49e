"""Whether a night makes a delta, a compaction or a rebuild: decided by what was measured, and said why."""

from dataclasses import asdict, dataclass

from vsearch_lib.artefact.manifest import Kind, Manifest

# A template of 4·√N lists searched with the same nprobe costs twice as much a query at four times the rows.
MAX_GROWTH = 4.0
# Of faiss's imbalance factor, which is what a query costs beside one over equal lists.
MAX_IMBALANCE_GROWTH = 1.5
# Of the newest vectors' quantization error, beside what it was of those the template was made for.
MAX_ERROR_GROWTH = 1.2
# Dead rows are read and dropped by every query; rows in deltas are spread over more files and lists.
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
    """What the settings and the model ask for; `factory` is "auto" where the catalogue's size decides."""

    model: str
    factory: str
    shards: int


def choose_kind(served: Manifest | None, wanted: Target, *, refused_template: str | None, compact: bool) -> KindChoice:
    """Return what to build beside the version that is served; `refused_template` is the last one the gate refused."""
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
    """Why the template does not suit any more what has been added since it was made."""
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
    """Why deltas and dead rows should be folded in."""
    rows, counts = served.rows, served.counts
    shares = {
        "of the rows are dead": (counts["dead"], MAX_DEAD_SHARE),
        "of the rows stand in deltas": (sum(delta.rows for delta in served.deltas), MAX_DELTA_SHARE),
    }
    for what, (count, limit) in shares.items():
        if count > limit * rows:
            return f"{count / rows:.1%} {what}, over {limit:.0%}"
    # A night that only buries adds a file too.
    files = max(len(served.deltas), len(served.tombstones))
    return f"{files} deltas, over {MAX_DELTAS}" if files > MAX_DELTAS else None
