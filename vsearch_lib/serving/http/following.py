"""A thread that opens each newly published version beside the one that is searched, and then swaps them."""

import sys
from collections.abc import Callable
from threading import Event, Thread

from vsearch_lib.system_errors import explain
from vsearch_lib.terminal import printable


class Following:
    """Calls `refresh` every `seconds`. If that fails, the old version stays, and `problem` is why, in one line."""

    def __init__(
        self,
        refresh: Callable[[], bool],
        seconds: float,
        *,
        ended: Callable[[str | None], None],
        failed: str = "the next version cannot be opened, the old one is served",
    ) -> None:
        """Make it.

        Args:
            ended: is called with the problem after each refresh, with None if there was none.
            failed: what a new problem means, for the line on standard error.
        """
        self._refresh, self._seconds, self._on_end, self._failed = refresh, seconds, ended, failed
        self._stopped = Event()
        self._thread = Thread(target=self._follow, name="following", daemon=True)
        self.problem: str | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End without waiting for a version that is being opened."""
        self._stopped.set()

    def look(self) -> None:
        """Open the published version if it is another one."""
        try:
            self._refresh()
            problem = None
        except Exception as error:
            problem = printable(str(explain(error) or error))
        if problem is not None and problem != self.problem:
            # Once, not at every look: the log of a night without storage stays short.
            print(f"vsearch: {self._failed}: {problem}", file=sys.stderr)
        self.problem = problem
        self._on_end(problem)

    def _follow(self) -> None:
        while not self._stopped.wait(self._seconds):
            self.look()
