"""What the gate measured of a version, as its manifest reports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_PREFIX, _RAW = "recall_at_", "_raw"


@dataclass(frozen=True)
class Recall:
    """Mean recall over queries, and half the width of its 95 % confidence interval (normal approximation)."""

    mean: float
    half_width_95: float


@dataclass(frozen=True)
class Stratum:
    """Recall at each depth for one kind of query, by the codes alone and after re-scoring."""

    queries: int
    raw: Mapping[int, Recall]
    rescored: Mapping[int, Recall]

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Stratum:
        """Return the stratum that a manifest describes: `recall_at_10` is re-scored, `recall_at_10_raw` is not."""
        recalls = {
            name.removeprefix(_PREFIX): Recall(**value) for name, value in fields.items() if name.startswith(_PREFIX)
        }
        raw = {int(depth.removesuffix(_RAW)): recall for depth, recall in recalls.items() if depth.endswith(_RAW)}
        rescored = {int(depth): recall for depth, recall in recalls.items() if not depth.endswith(_RAW)}
        return cls(fields["queries"], raw, rescored)

    def fields(self) -> dict[str, Any]:
        """Return the stratum as a manifest describes it."""
        raw = {f"{_PREFIX}{depth}{_RAW}": asdict(recall) for depth, recall in self.raw.items()}
        rescored = {f"{_PREFIX}{depth}": asdict(recall) for depth, recall in self.rescored.items()}
        return {"queries": self.queries, **raw, **rescored}


@dataclass(frozen=True)
class GateReport:
    """Recall by kind of query, and whether each kind reached `min_recall_at_10`, which is None before measuring."""

    passed: bool = False
    strata: Mapping[str, Stratum] = field(default_factory=dict)
    min_recall_at_10: float | None = None

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> GateReport:
        """Return the report that a manifest describes."""
        strata = {name: Stratum.from_fields(stratum) for name, stratum in fields["strata"].items()}
        return cls(fields["passed"], strata, fields.get("min_recall_at_10"))

    def fields(self) -> dict[str, Any]:
        """Return the report as a manifest describes it."""
        strata = {name: stratum.fields() for name, stratum in self.strata.items()}
        limit = {} if self.min_recall_at_10 is None else {"min_recall_at_10": self.min_recall_at_10}
        return {"passed": self.passed, "strata": strata, **limit}
