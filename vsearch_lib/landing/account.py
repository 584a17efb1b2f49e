"""What became of everything that landed: the four numbers that add up."""

from dataclasses import dataclass

from vsearch_lib.job import Figure


@dataclass(frozen=True)
class Account:
    """Of `landed` items some were refused, the rest are about `keys` things, and `accepted` of these moved a table."""

    table: str
    landed: int
    refused: int
    keys: int
    accepted: int

    @property
    def duplicate(self) -> int:
        """Items about a thing that another item of the same run is about, and that holds."""
        return self.landed - self.refused - self.keys

    @property
    def unchanged(self) -> int:
        """Things that the table knew already, just so."""
        return self.keys - self.accepted

    def figures(self) -> list[Figure]:
        """Return the numbers for `metrics`."""
        names = ("landed", "accepted", "unchanged", "duplicate", "refused")
        return [Figure(f"{self.table}_{name}", getattr(self, name)) for name in names]

    def line(self) -> str:
        """Return the sum as a person reads it."""
        return (
            f"{self.table}: {self.landed} landed = {self.accepted} accepted + {self.unchanged} unchanged + "
            f"{self.duplicate} duplicate + {self.refused} refused"
        )
