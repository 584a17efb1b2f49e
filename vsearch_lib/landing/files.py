"""Paths as Spark's readers take them."""

import re


def escape_glob(path: str) -> str:
    """Return `path` as Spark's readers take it, who would read some characters of a name as a pattern."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", path)
