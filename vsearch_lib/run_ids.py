"""Names of runs and versions: sortable by time, and unique."""

import hashlib
import time
import uuid
from datetime import UTC, datetime


def new_run_id() -> str:
    """Return a run's name: sortable by time, unique."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def version_of(run_id: str, *, after: str | None = None) -> str:
    """Return a version name for what a run makes now: it sorts by time and contains a hash of the run id.

    It sorts after the version `after`. If that was made in the same second, the function may wait for the next one.
    """
    run = hashlib.sha256(run_id.encode()).hexdigest()[:8]
    while True:
        second = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        if after is None or not after.startswith(second) or f"{second}-{run}" > after:
            return f"{second}-{run}"
        time.sleep(0.05)
