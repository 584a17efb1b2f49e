"""Answers of frequent queries, kept while the version that they come from is served."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import TypeAlias

from cachetools import LRUCache

from vsearch_lib.serving.ask import Answers, Ask, Timings

# The version, the hash of the picture, and all else that is asked. The asker is part of it (`wanted.viewer_id`):
# nobody is answered from what somebody else asked.
Key: TypeAlias = tuple[str, bytes | None, Ask]


class AnswerCache:
    """The answers to the queries that were asked last; threads may share it."""

    def __init__(self, size: int) -> None:
        """Keep `size` answers, of all queries together."""
        self._kept: LRUCache[Key, Answers] = LRUCache(size, getsizeof=_size)
        self._lock = Lock()

    def answers(self, ask: Ask, version: str, search: Callable[[Ask], Answers]) -> tuple[Answers, bool]:
        """Return the answers to `ask` from the served `version`, and whether they were kept.

        Otherwise `search` is called. If another version is served meanwhile, its answers are kept as that version's.
        """
        key = _key(ask, version)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None:
            return replace(kept, timings_ms=Timings(0.0, 0.0, 0.0)), True
        found = search(ask)
        if _size(found) <= self._kept.maxsize:
            with self._lock:
                self._kept[found.version, *key[1:]] = found
        return found, False


def _size(answers: Answers) -> int:
    return 1 + len(answers.answers)


def _key(ask: Ask, version: str) -> Key:
    content = None if ask.picture is None else hashlib.sha256(ask.picture).digest()
    return version, content, replace(ask, picture=None)
