"""What became of everything that landed: the numbers that add up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.landing.listing import Listing
from vsearch_lib.landing.rows import NO_RECORDS


@dataclass(frozen=True)
class Account:
    """What became of what landed: records, pictures, and files that were refused or passed over as a whole.

    Attributes:
        read: items that were looked at; of these some were refused, the rest are about `keys` things.
        accepted: things that moved a table.
        passed_over: clutter by its kind, files.
    """

    table: str
    read: int = 0
    refused: int = 0
    keys: int = 0
    accepted: int = 0
    passed_over: Mapping[str, int] = field(default_factory=dict)

    @property
    def landed(self) -> int:
        """All items."""
        return self.read + sum(self.passed_over.values())

    @property
    def duplicate(self) -> int:
        """Items about a thing that another item of the same run is about, and that holds."""
        return self.read - self.refused - self.keys

    @property
    def unchanged(self) -> int:
        """Things that the table knew already, just so."""
        return self.keys - self.accepted

    def figures(self) -> list[Figure]:
        """Return the numbers for `metrics`."""
        kinds = [Figure(f"{self.table}_passed_over", n, slice=kind) for kind, n in sorted(self.passed_over.items())]
        names = ("landed", "accepted", "unchanged", "duplicate", "refused")
        numbers = [Figure(f"{self.table}_{name}", getattr(self, name)) for name in names]
        return [*kinds, *numbers, Figure(f"{self.table}_passed_over", sum(self.passed_over.values()))]

    def line(self) -> str:
        """Return the sum as a person reads it."""
        kinds = ", ".join(f"{kind}: {n}" for kind, n in sorted(self.passed_over.items()))
        return (
            f"{self.table}: {self.landed} landed = {self.accepted} accepted + {self.unchanged} unchanged + "
            f"{self.duplicate} duplicate + {self.refused} refused + {sum(self.passed_over.values())} passed over"
            f"{f' ({kinds})' if kinds else ''}"
        )


@dataclass(frozen=True)
class Counted:
    """How much was looked at, and how much of it was refused. `erased` and `unreadable` are among the refused.

    Attributes:
        empty: whole files without a record; they are in none of the other numbers.
    """

    read: int
    refused: int
    erased: int
    unreadable: int
    empty: int
    keys: int

    @property
    def judged(self) -> int:
        """Items by which a source is judged: nothing is wrong there with what is erased or cannot be opened here.

        If nothing at all can be opened, that is judged.
        """
        return self.read - self.erased - (self.unreadable if self.unreadable < self.read else 0)

    @property
    def at_fault(self) -> int:
        """How many of the judged items are refused."""
        return self.judged - (self.read - self.refused)

    def account(self, table: str, accepted: int, passed_over: Mapping[str, int]) -> Account:
        """Return the sum, once it is known how many things moved the table."""
        empty = {"file without records": self.empty} if self.empty else {}
        return Account(table, self.read, self.refused, self.keys, accepted, {**passed_over, **empty})


def count_refused(rows: DataFrame, *, landed: Column, key: str | None = None) -> Counted:
    """Count `rows` by what became of them.

    Args:
        landed: aggregate: how many items rows stand for.
        key: column of what an accepted row is about; None if each is about another thing.
    """
    reason = F.col("reason")
    counted = rows.agg(
        landed,
        F.count("reason"),
        *(F.count(F.when(reason == code, 1)) for code in ("erased", "unreadable", NO_RECORDS)),
        F.countDistinct(F.when(reason.isNull(), F.col(key))) if key else F.count(F.when(reason.isNull(), 1)),
    ).collect()[0]
    read, refused, erased, unreadable, empty, keys = (int(value or 0) for value in counted)
    return Counted(read - empty, refused - empty, erased, unreadable, empty, keys)


def nothing_landed(context: StepContext, table: str, passed_over: Mapping[str, int]) -> list[Figure]:
    """Return the figures of a run to which nothing landed but clutter, and say so if there is some."""
    account = Account(table, passed_over=passed_over)
    if passed_over:
        context.say(account.line())
    return account.figures()


def say_missing(context: StepContext, table: str, listing: Listing) -> None:
    """Say of each place that was to be looked at and is not there that nothing landed."""
    for place in listing.missing:
        context.say(f"{table}: nothing landed: there is no folder {place}")
