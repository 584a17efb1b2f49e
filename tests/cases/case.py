"""What a case is: an input that made other people's pipelines fail, and what must become of it here."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

DAY = "date=2026-11-01"
TAKES_ALL = "quality.max_refused_share=1"

Place = tuple[str, int]  # a file's path below the folder of its part, and the line; 0 is the whole file


@dataclass(frozen=True)
class Outcome:
    """What must come of all that lands in a folder for one table.

    Attributes:
        accepted: ids of the table's rows.
        private: of these, the images that not everybody may see.
        refused: where → code of the reason.
        messages: where → words that the refusal's message must have.
        passed_over: kind of clutter → files.
        values: column → id → value, written as Spark casts it to a text.
        by_path: whether an image's id is its path below the folder that is taken in.
    """

    accepted: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()
    refused: Mapping[Place, str] = field(default_factory=dict)
    messages: Mapping[Place, str] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_path: bool = False

    def taken_in_from(self, above: str) -> "Outcome":
        """Return what must come of it where the folder lies `above`/ below the one that is taken in."""
        if not self.by_path or not above:
            return self
        values = {
            column: {f"{above}/{image_id}": value for image_id, value in of_ids.items()}
            for column, of_ids in self.values.items()
        }
        return replace(
            self,
            accepted=frozenset(f"{above}/{image_id}" for image_id in self.accepted),
            private=frozenset(f"{above}/{image_id}" for image_id in self.private),
            values=values,
        )


def account_line(table: str, outcomes: list[Outcome]) -> str:
    """Return the sum that a job must print of `outcomes` together, taken in for the first time."""
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
    """A folder of a case that is taken in by itself.

    Attributes:
        folder: below the case's own: of pictures, or a landing zone if it is called landing.
        tables: table → what must come of the folder there.
        stops_by_default: more is refused than the default share allows: the job must exit with 3.
        address: the folder → how the person names it.
    """

    folder: str
    tables: Mapping[str, Outcome]
    stops_by_default: bool = False
    address: Callable[[Path], str] = str

    @property
    def is_landing_zone(self) -> bool:
        """Whether it holds a folder a table."""
        return self.folder == "landing"


@dataclass(frozen=True)
class Case:
    """A numbered case; `build` writes its input into an empty folder.

    Attributes:
        parts: what is taken in, and the outcome. None for cases of which more than that is asked.
        own_process: why only a process of its own shows the case; None if the suite's session does as well.
    """

    number: int
    name: str
    build: Callable[[Path], None]
    parts: tuple[Part, ...] = ()
    own_process: str | None = None

    @property
    def label(self) -> str:
        """Its number and name."""
        return f"{self.number:02d}-{self.name}"
