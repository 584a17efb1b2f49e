"""A path as Spark's readers and its SQL take it."""

import re


def escape_glob(path: str) -> str:
    """Return `path` as Spark's readers take it, who would read some characters of a name as a pattern."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", path)


def quoted(*names: str) -> str:
    """Return a name, or the parts of one, as SQL takes it."""
    return ".".join(f"`{name.replace('`', '``')}`" for name in names)
