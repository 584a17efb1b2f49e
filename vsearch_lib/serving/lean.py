"""For a process that answers one query: what it does not need is not imported for it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _NoPandas(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is left out here", name=fullname)
        return None


@contextmanager
def without_pandas() -> Iterator[None]:
    """Block the import of pandas meanwhile.

    pyarrow does with the first array it makes, to know pandas's own types when it is handed some, and goes on where
    there is none. It takes as long as all the rest of a query.
    """
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
