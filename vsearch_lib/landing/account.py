"""The account of a landing: how many items landed, and how many of them were accepted, refused or passed over."""

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
    """Counts of landed items: records, pictures, and files that were refused or passed over as a whole.

    Attributes:
        read: items that were examined; some were `refused`, the others are about `keys` different keys of the table.
        accepted: keys whose rows in the table were added or changed.
        passed_over: kind of clutter → number of files.
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
        """Items that lost to another item of the same run with the same key."""
        return self.read - self.refused - self.keys

    @property
    def unchanged(self) -> int:
        """Keys whose rows in the table did not change."""
        return self.keys - self.accepted

    def figures(self) -> list[Figure]:
        """Return the numbers for `metrics`."""
        kinds = [Figure(f"{self.table}_passed_over", n, slice=kind) for kind, n in sorted(self.passed_over.items())]
        names = ("landed", "accepted", "unchanged", "duplicate", "refused")
        numbers = [Figure(f"{self.table}_{name}", getattr(self, name)) for name in names]
        return [*kinds, *numbers, Figure(f"{self.table}_passed_over", sum(self.passed_over.values()))]

    def line(self) -> str:
        """Return the counts as one line of text."""
        kinds = ", ".join(f"{kind}: {n}" for kind, n in sorted(self.passed_over.items()))
        return (
            f"{self.table}: {self.landed} landed = {self.accepted} accepted + {self.unchanged} unchanged + "
            f"{self.duplicate} duplicate + {self.refused} refused + {sum(self.passed_over.values())} passed over"
            f"{f' ({kinds})' if kinds else ''}"
        )


@dataclass(frozen=True)
class Counted:
    """Counts of examined items, and of refused ones, which include `erased` and `unreadable`.

    Attributes:
        empty: files without a record; they are not in the other counts.
        keys: different keys of the accepted items.
    """

    read: int
    refused: int
    erased: int
    unreadable: int
    empty: int
    keys: int

    @property
    def judged(self) -> int:
        """Items by which the source is judged: erased and unreadable items are not its fault, and do not count.

        If no item at all is readable, the unreadable items count.
        """
        return self.read - self.erased - (self.unreadable if self.unreadable < self.read else 0)

    @property
    def at_fault(self) -> int:
        """The number of judged items that are refused."""
        return self.judged - (self.read - self.refused)

    def account(self, table: str, accepted: int, passed_over: Mapping[str, int]) -> Account:
        """Return the account; `accepted` is the number of keys whose rows were added or changed."""
        empty = {"file without records": self.empty} if self.empty else {}
        return Account(table, self.read, self.refused, self.keys, accepted, {**passed_over, **empty})


def count_refused(rows: DataFrame, *, landed: Column, key: str | None = None) -> Counted:
    """Count accepted and refused `rows`.

    Args:
        landed: an aggregate that counts the items in the rows.
        key: the key column of an accepted row; None if every accepted row has another key.
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
    """Return the figures of a run that found no items, and report the clutter, if there is any."""
    account = Account(table, passed_over=passed_over)
    if passed_over:
        context.say(account.line())
    return account.figures()


def report_missing(context: StepContext, table: str, listing: Listing) -> None:
    """Report each requested folder that does not exist."""
    for folder in listing.missing:
        context.say(f"{table}: nothing landed: there is no folder {folder}")
