"""Feedback as records in the landing zone: files appear whole, and the nightly run ingests them as any others."""

import json
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from typing import Literal

from vsearch_lib.storage import open_store
from vsearch_lib.system_errors import explain
from vsearch_lib.terminal import printable

Table = Literal["interactions", "judgements"]
_MAX_WAIT_SECONDS = 10.0  # for the last files, when the service ends


class FeedbackFull(Exception):
    """Raised when so much feedback waits to be written that no more is taken."""


class LandedFeedback:
    """Records that wait in memory, and are written as a file for each table every `seconds`.

    `failures` counts writes that failed; their records wait for the next one. A service that is killed loses what
    waits.
    """

    def __init__(self, landing_uri: str, *, seconds: float, max_events: int) -> None:
        self._store = open_store(landing_uri)
        self._seconds, self._max_events = seconds, max_events
        self._name = secrets.token_hex(4)  # of this server: several may write into one landing zone
        self._files = 0
        self._waiting: dict[Table, dict[str, Mapping[str, object]]] = {"interactions": {}, "judgements": {}}
        self._lock, self._writing = Lock(), Lock()
        self._ended = Event()
        self._thread = Thread(target=self._write_at_intervals, name="feedback", daemon=True)
        self.failures = 0

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(_MAX_WAIT_SECONDS)
        self.write()

    def add(self, table: Table, key: str, record: Mapping[str, object]) -> None:
        """Let a record wait; it replaces one with the same key that waits.

        Raises:
            FeedbackFull: too many wait.
        """
        with self._lock:
            if key not in self._waiting[table] and self.waiting >= self._max_events:
                raise FeedbackFull
            self._waiting[table][key] = record

    @property
    def waiting(self) -> int:
        """The number of records that wait."""
        return sum(map(len, self._waiting.values()))

    def write(self) -> None:
        """Write what waits. If the landing zone cannot be written, one line says so, and the records wait on."""
        with self._writing:
            for table in self._waiting:
                with self._lock:
                    records, self._waiting[table] = self._waiting[table], {}
                if not records:
                    continue
                try:
                    self._write(table, records)
                except Exception as error:
                    self.failures += 1
                    with self._lock:
                        self._waiting[table] = {**records, **self._waiting[table]}
                    print(
                        printable(f"vsearch: feedback could not be written, it waits: {explain(error) or error}"),
                        file=sys.stderr,
                    )

    def _write(self, table: Table, records: Mapping[str, Mapping[str, object]]) -> None:
        now = datetime.now(UTC)
        self._files += 1
        name = f"served-{now:%Y%m%dT%H%M%S}-{self._name}-{self._files:06}.jsonl"
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records.values())
        if not self._store.write_new(f"{table}/date={now:%Y-%m-%d}/{name}", lines.encode()):
            raise FileExistsError(f"{name} is in the landing zone already")

    def _write_at_intervals(self) -> None:
        while not self._ended.wait(self._seconds):
            self.write()
