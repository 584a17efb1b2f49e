"""What the gate found of a version, as its manifest reports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_AT, _RAW = "recall_at_", "_raw"


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
        recalls = {name.removeprefix(_AT): Recall(**value) for name, value in fields.items() if name.startswith(_AT)}
        raw = {int(at.removesuffix(_RAW)): found for at, found in recalls.items() if at.endswith(_RAW)}
        rescored = {int(at): found for at, found in recalls.items() if not at.endswith(_RAW)}
        return cls(fields["queries"], raw, rescored)

    def fields(self) -> dict[str, Any]:
        """Return the stratum as a manifest describes it."""
        raw = {f"{_AT}{at}{_RAW}": asdict(found) for at, found in self.raw.items()}
        rescored = {f"{_AT}{at}": asdict(found) for at, found in self.rescored.items()}
        return {"queries": self.queries, **raw, **rescored}


@dataclass(frozen=True)
class GateReport:
    """Recall by kind of query, and whether all of it reached `min_recall_at_10`; None before anything is measured."""

    passed: bool = False
    strata: Mapping[str, Stratum] = field(default_factory=dict)
    min_recall_at_10: float | None = None

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> GateReport:
        """Return the report that a manifest has."""
        strata = {name: Stratum.from_fields(stratum) for name, stratum in fields["strata"].items()}
        return cls(fields["passed"], strata, fields.get("min_recall_at_10"))

    def fields(self) -> dict[str, Any]:
        """Return the report as a manifest has it."""
        strata = {name: stratum.fields() for name, stratum in self.strata.items()}
        limit = {} if self.min_recall_at_10 is None else {"min_recall_at_10": self.min_recall_at_10}
        return {"passed": self.passed, "strata": strata, **limit}
