"""Whether evidence promotes a new model, and the reason in words."""

from dataclasses import dataclass

from vsearch_lib.config.settings import Gate
from vsearch_lib.measure.comparison.compared import Comparison
from vsearch_lib.measure.comparison.evidence import CLICKED, FROZEN_NEIGHBOURS, JUDGED, OWN_VIEWS, Evidence

_ASK = "vsearch label next"
# kind of queries → what was measured, on which queries
_WORDS = {
    JUDGED: ("nDCG@10", "judged queries"),
    CLICKED: ("nDCG@10", "clicked queries"),
    OWN_VIEWS: ("reciprocal rank of a part's own picture", "test pictures"),
    FROZEN_NEIGHBOURS: ("R-precision of the frozen backbone's neighbours", "test pictures"),
}


@dataclass(frozen=True)
class Verdict:
    """Whether a new model may be used, and the reason in words."""

    promotes: bool
    reason: str


def verdict(comparison: Comparison, used: str, gate: Gate) -> Verdict:
    """Promote a model that is surely not worse by more than the gate allows, in any evidence.

    It is surely not worse if the whole 95 % interval of the difference, query by query, lies above the negative limit.

    Args:
        comparison: of the new model and the one in use.
        used: the version of the model in use.
        gate: the limits.
    """
    if not comparison.evidence:
        needed = f"gate.min_compared_queries = {gate.min_compared_queries}"
        return Verdict(promotes=False, reason=f"{comparison.missing}: {needed}; score pairs ({_ASK})")
    parts, promotes = [], True
    for evidence in comparison.evidence:
        measured, refusal = _outcome(evidence, used), _refusal(evidence, gate)
        parts.append(f"{measured}: {refusal}" if refusal else measured)
        promotes = promotes and refusal is None
    if not promotes:
        return Verdict(promotes=False, reason="; ".join(parts))
    if any(evidence.kind == OWN_VIEWS for evidence in comparison.evidence):
        parts.append(f"this does not tell whether it is better: scored pairs would ({_ASK})")
    return Verdict(promotes=True, reason="; ".join(parts))


def _outcome(evidence: Evidence, used: str) -> str:
    measure, queries = _WORDS[evidence.kind]
    gain = evidence.gain
    return (
        f"{measure} {evidence.new:.3f}, {evidence.used:.3f} with {used}, on {gain.n} {queries}: a difference of "
        f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
    )


def _refusal(evidence: Evidence, gate: Gate) -> str | None:
    """Return why this evidence refuses the new model, None if it does not."""
    name = "max_neighbour_loss" if evidence.kind == FROZEN_NEIGHBOURS else "max_ndcg_loss"
    loss = getattr(gate, name)
    if evidence.gain.high < -loss:
        return f"worse by more than gate.{name} = {loss:g}"
    if evidence.gain.low < -loss:
        return f"it may be worse by more than gate.{name} = {loss:g}; more scored pairs would tell ({_ASK})"
    return None
