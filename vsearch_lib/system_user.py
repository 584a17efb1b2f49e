"""The account that a process runs as: in a container, the system may have no name and no home for its user id."""

import os
import pwd
import tempfile


def has_name() -> bool:
    """Return whether the system has a name for the user id of this process."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


def set_missing_variables() -> None:
    """Set LOGNAME and HOME if the user id has no name: libraries ask for both, and fail without an answer."""
    if has_name():
        return
    os.environ.setdefault("LOGNAME", str(os.getuid()))
    if not os.environ.get("HOME"):
        os.environ["HOME"] = tempfile.gettempdir()
