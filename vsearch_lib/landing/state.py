"""A landing that was taken in before, and of which nothing has moved since: its job is done before it begins."""

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
    """What lay in a landing folder as a job began, where the job's tables stood, and what it is to the job."""

    context: StepContext
    table: str
    files: str | None  # a hash of them; None if hashing them would cost as much as taking them in
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
        """Look at what `listing` lists, and at the job's `tables`.

        Args:
            retry: it is taken in whatever is known of it.
            opened: files that are told apart by their content. The others, pictures, are by length and time, as
                `image_files` tells them apart.
        """
        files = None if retry else _hash_of(listing, opened)
        watched = ("erasures", "quarantine", *tables) if files else ()
        return cls(context, table, files, {name: position(context.lake, name) for name in watched})

    def earlier_figures(self) -> list[Figure] | None:
        """Say and return what the job would find again; None if it has to look."""
        found = load_result(self.context.lake, self._step, self._state(self.positions)) if self.files else None
        if found is None:
            return None
        account = Account(**found["account"])
        self.context.say(account.line())
        return [*account.figures(), *(Figure(**fields) for fields in found["more"])]

    def record_ingested(self, account: Account, more: Sequence[Figure] = ()) -> None:
        """Note that all of it is in the tables: the same files again would change nothing, with `more` as figures."""
        if self.files is None:
            return
        lake = self.context.lake
        positions = dict(self.positions)
        # As this run left them: what a rival commits after it, or to other tables, is worth another look.
        for table, version in lake.versions_written.items():
            if table in positions:
                before = positions[table]
                positions[table] = Position(lake.table_id(table), max(version, before.version if before else 0))
        again = replace(account, accepted=0)
        made = {"account": asdict(again), "more": [asdict(figure) for figure in more]}
        save_result(lake, self._step, self._state(positions), made)

    @property
    def _step(self) -> str:
        return f"ingest_{self.table}"

    def _state(self, positions: dict[str, Position | None]) -> str:
        settings = self.context.settings.model_dump_json(include=_SETTINGS)
        return input_state(positions, files=self.files, days=self.context.dates, settings=settings)


def _hash_of(listing: Listing, opened: Sequence[LandedFile]) -> str | None:
    """Return a hash of all that lies in a local folder; None for a bucket: to read it would take too long."""
    if local_path(listing.uri) is None or any(file.reason == "unreadable" for file in listing.refused):
        return None  # what could not be opened may be by now: nothing in the listing would tell
    found = hashlib.sha256(repr((listing.refused, sorted(listing.passed_over.items()), listing.missing)).encode())
    for file in listing.files:
        found.update(f"{file.path}\0{file.bytes}\0{file.modified_ms}\0".encode())
    try:
        for file in opened:
            with open(file.path, "rb") as content:
                found.update(hashlib.file_digest(content, "sha256").digest())
    except OSError:
        return None  # a file is changing or cannot be read: the job itself reports it
    return found.hexdigest()
