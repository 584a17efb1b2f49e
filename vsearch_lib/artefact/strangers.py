"""How similar two unrelated images of an index are, as its manifest reports it: what a cosine means in this index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHARES = (0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)


@dataclass(frozen=True)
class Strangers:
    """Cosines between images of different owners that are no copies of each other.

    `quantiles` maps each of SHARES to the cosine that this share of the `pairs` does not exceed; the pairs are those
    among `rows` images, drawn at random.
    """

    rows: int
    pairs: int
    quantiles: Mapping[float, float]

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Strangers:
        """Return what a manifest describes."""
        return cls(fields["rows"], fields["pairs"], {float(share): q for share, q in fields["quantiles"].items()})

    def fields(self) -> dict[str, Any]:
        """Return the strangers as a manifest describes them."""
        quantiles = {f"{share:g}": quantile for share, quantile in self.quantiles.items()}
        return {"rows": self.rows, "pairs": self.pairs, "quantiles": quantiles}
