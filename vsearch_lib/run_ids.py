"""Names of runs, and of what they make: sortable by time, and unique."""

import hashlib
import time
import uuid
from datetime import UTC, datetime


def new_run_id() -> str:
    """Return a run's name: sortable by time, unique."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def version_of(run_id: str, *, after: str | None = None) -> str:
    """Return a name for what a run makes now: sorts by the time it was made, and says which run made it.

    It sorts behind the version `after` even where that was made in the same second: then this waits for the next.
    """
    run = hashlib.sha256(run_id.encode()).hexdigest()[:8]
    while True:
        second = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        if after is None or not after.startswith(second) or f"{second}-{run}" > after:
            return f"{second}-{run}"
        time.sleep(0.05)
