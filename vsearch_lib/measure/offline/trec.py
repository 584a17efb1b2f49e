"""Qrels and runs in TREC's format, so that any evaluation tool can compute the figures of a report again.

A field of these files ends at a space, and an image id may have one. Ids are therefore percent-encoded, as in a URL.
"""

import gzip
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote

from vsearch_lib.measure.offline.ranking import Judgements, Rankings

_KEPT = "/:@+,;=!$&'()*"  # characters of ids that are not encoded


def qrels(judgements: Judgements) -> bytes:
    """Return a line `query 0 image grade` for each judged pair, compressed by gzip."""
    return _compressed(
        f"{_word(query)} 0 {_word(image)} {grade}\n"
        for query, grades in judgements.items()
        for image, grade in grades.items()
    )


def run(rankings: Rankings, system: str) -> bytes:
    """Return a line `query Q0 image rank score system` for each answer, compressed by gzip; scores fall by rank."""
    tag = _word(system)
    return _compressed(
        f"{_word(query)} Q0 {_word(image)} {rank} {len(ranked) - rank} {tag}\n"
        for query, ranked in rankings.items()
        for rank, image in enumerate(ranked, start=1)
    )


@lru_cache(maxsize=100_000)  # an image is judged for many queries, and encoding takes longer than all else
def _word(text: str) -> str:
    return quote(text, safe=_KEPT)


def _compressed(lines: Iterator[str]) -> bytes:
    return gzip.compress("".join(lines).encode(), compresslevel=6, mtime=0)
