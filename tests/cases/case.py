"""A case: an input that made other people's pipelines fail, and the outcome that it must have here."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

DAY = "date=2026-11-01"
TAKES_ALL = "quality.max_refused_share=1"

Source = tuple[str, int]  # a file's path below the folder of its part, and the line; line 0 is the whole file


@dataclass(frozen=True)
class Outcome:
    """What one table must hold, and what must be refused, after a folder is ingested.

    Attributes:
        accepted: ids of the table's rows.
        private: the ids of private images among them.
        refused: source → code of the reason.
        messages: source → words that the message of the refusal must contain.
        passed_over: kind of clutter → number of files.
        values: column → id → value, as the text that Spark casts it to.
        by_path: whether an image's id is its path below the ingested folder.
    """

    accepted: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()
    refused: Mapping[Source, str] = field(default_factory=dict)
    messages: Mapping[Source, str] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_path: bool = False

    def with_id_prefix(self, prefix: str) -> "Outcome":
        """Return the outcome for a folder in the folder `prefix` of the ingested one: ids by path get the prefix."""
        if not self.by_path or not prefix:
            return self
        values = {
            column: {f"{prefix}/{image_id}": value for image_id, value in of_ids.items()}
            for column, of_ids in self.values.items()
        }
        return replace(
            self,
            accepted=frozenset(f"{prefix}/{image_id}" for image_id in self.accepted),
            private=frozenset(f"{prefix}/{image_id}" for image_id in self.private),
            values=values,
        )


def account_line(table: str, outcomes: list[Outcome]) -> str:
    """Return the sum that a job must print when it ingests all of `outcomes` for the first time."""
    accepted = sum(len(outcome.accepted) for outcome in outcomes)
    refused = sum(len(outcome.refused) for outcome in outcomes)
    passed_over = sum((Counter(outcome.passed_over) for outcome in outcomes), Counter[str]())
    kinds = ", ".join(f"{kind}: {count}" for kind, count in sorted(passed_over.items()))
    return (
        f"{table}: {accepted + refused + passed_over.total()} landed = {accepted} accepted + 0 unchanged + 0 duplicate "
        f"+ {refused} refused + {passed_over.total()} passed over{f' ({kinds})' if kinds else ''}"
    )


@dataclass(frozen=True)
class Part:
    """A folder of a case, which is ingested by itself.

    Attributes:
        folder: its name in the case's folder. `landing` is a landing zone; any other holds pictures.
        tables: table → outcome of the folder.
        stops_by_default: whether more is refused than the default share allows, so that the job must exit with 3.
        address: returns the folder's address as a person writes it.
    """

    folder: str
    tables: Mapping[str, Outcome]
    stops_by_default: bool = False
    address: Callable[[Path], str] = str

    @property
    def is_landing_zone(self) -> bool:
        """Whether it holds a folder for each table."""
        return self.folder == "landing"


@dataclass(frozen=True)
class Case:
    """A numbered case. `build` writes its input into an empty folder.

    Attributes:
        parts: the folders to ingest, with their outcomes. Empty if `nights.CHECKS` checks the case.
        own_process: why the case needs a process of its own; None if the suite's session can run it.
    """

    number: int
    name: str
    build: Callable[[Path], None]
    parts: tuple[Part, ...] = ()
    own_process: str | None = None

    @property
    def label(self) -> str:
        """The number and name."""
        return f"{self.number:02d}-{self.name}"
