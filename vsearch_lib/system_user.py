"""The account a process runs as: a container's user id may be one that the system has no name and no home for."""

import os
import pwd
import tempfile


def is_named() -> bool:
    """Whether the system knows a name for the user id of this process."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


def stand_in() -> None:
    """Where the user id has no name, say one, and a home: libraries ask for both, and end where they get no answer."""
    if is_named():
        return
    os.environ.setdefault("LOGNAME", str(os.getuid()))
    if not os.environ.get("HOME"):
        os.environ["HOME"] = tempfile.gettempdir()
