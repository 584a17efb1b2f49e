"""Quoting of paths for Spark's readers, and of names for its SQL."""

import re


def escape_glob(path: str) -> str:
    """Return `path` with escapes: Spark's readers would take some characters of a file name for a pattern."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", path)


def quoted(*names: str) -> str:
    """Return a name, or the parts of one, quoted for SQL."""
    return ".".join(f"`{name.replace('`', '``')}`" for name in names)
