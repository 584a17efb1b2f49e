"""A job whose landing was ingested before ends at once with the same figures, if no input has changed since."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.lake.changes import Position, position
from vsearch_lib.lake.past_results import input_state, load_result, save_result
from vsearch_lib.landing.account import Account
from vsearch_lib.landing.listing import LandedFile, Listing
from vsearch_lib.storage import local_path

_SETTINGS = {"landing", "image", "quality"}


@dataclass(frozen=True)
class LandingState:
    """The files of a landing folder and the versions of the job's tables, at the start of the job."""

    context: StepContext
    table: str
    files: str | None  # a hash of them; None if they have to be ingested in any case, or if a hash would cost as much
    positions: dict[str, Position | None]

    @classmethod
    def of(
        cls,
        context: StepContext,
        table: str,
        listing: Listing,
        *,
        opened: Sequence[LandedFile],
        tables: Sequence[str],
        retry: bool,
    ) -> "LandingState":
        """Record the state of the files of `listing` and of the job's `tables`.

        Args:
            opened: files that are compared by content. The others, pictures, are compared by length and modification
                time, as in `image_files`.
            retry: the job ingests the files even if they are known.
        """
        files = None if retry else _hash_of(listing, opened)
        watched = ("erasures", "quarantine", *tables) if files else ()
        return cls(context, table, files, {name: position(context.lake, name) for name in watched})

    def earlier_figures(self) -> list[Figure] | None:
        """Report and return the figures of an earlier run with the same input; None if the job has to run."""
        earlier = load_result(self.context.lake, self._step, self._state(self.positions)) if self.files else None
        if earlier is None:
            return None
        account = Account(**earlier["account"])
        self.context.say(account.line())
        return [*account.figures(), *(Figure(**fields) for fields in earlier["more"])]

    def record_ingested(self, account: Account, more: Sequence[Figure] = ()) -> None:
        """Record that all files are in the tables; `more` are figures that a run over the same files would report."""
        if self.files is None:
            return
        lake = self.context.lake
        positions = dict(self.positions)
        # The versions that this run wrote: a concurrent run's later commit makes the next job run again.
        for table, version in lake.versions_written.items():
            if table in positions:
                before = positions[table]
                positions[table] = Position(lake.table_id(table), max(version, before.version if before else 0))
        unchanged = replace(account, accepted=0)
        result = {"account": asdict(unchanged), "more": [asdict(figure) for figure in more]}
        save_result(lake, self._step, self._state(positions), result)

    @property
    def _step(self) -> str:
        return f"ingest_{self.table}"

    def _state(self, positions: dict[str, Position | None]) -> str:
        settings = self.context.settings.model_dump_json(include=_SETTINGS)
        return input_state(positions, files=self.files, days=self.context.dates, settings=settings)


def _hash_of(listing: Listing, opened: Sequence[LandedFile]) -> str | None:
    """Return a hash of the files of a local folder; None for a bucket, because reading it would take too long."""
    if local_path(listing.uri) is None or any(file.reason == "unreadable" for file in listing.refused):
        return None  # an unreadable file may become readable without a change in the listing
    digest = hashlib.sha256(repr((listing.refused, sorted(listing.passed_over.items()), listing.missing)).encode())
    for file in listing.files:
        digest.update(f"{file.path}\0{file.bytes}\0{file.modified_ms}\0".encode())
    try:
        for file in opened:
            with open(file.path, "rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
    except OSError:
        return None  # a file is changing or cannot be read: the job itself reports it
    return digest.hexdigest()
