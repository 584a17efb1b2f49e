"""Records of a CSV text, strictly by RFC 4180: one that does not fit is refused, and its neighbours are read."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_PROBLEMS = {
    "": "a quote is not closed",
    "unexpected end of data": "a quote is not closed",
    "',' expected after '\"'": "a quote closes before its value ends; a quote inside a value is doubled",
}


class CsvRecord(NamedTuple):
    """A record that begins in `line` (from 1), its text, and its fields, or why they are not certain."""

    line: int
    text: str
    fields: list[str] | None
    problem: str | None


def csv_records(lines: Iterable[str]) -> Iterator[CsvRecord]:
    """Yield the records of `lines`, which keep their ends; blank lines are none.

    If quotes do not fit, the line in which the record begins is refused, and reading goes on with the next line: a
    quote that is never closed does not take the rest of the file along.
    """
    feed = _Feed(lines)
    while feed.more():
        feed.taken.clear()
        line = feed.number + 1
        try:
            fields = next(csv.reader(feed, strict=True))
        except (csv.Error, StopIteration) as error:
            yield CsvRecord(line, feed.put_back_all_but_one(), None, f"not CSV: {_PROBLEMS.get(str(error), error)}")
            continue
        if fields and "".join(feed.taken).strip():
            yield CsvRecord(line, "".join(feed.taken).rstrip("\r\n"), fields, None)


class _Feed:
    """Lines, of which those that a record took can be put back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._ahead: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else next(self._lines)
        self.number += 1
        self.taken.append(line)
        return line

    def more(self) -> bool:
        if not self._ahead:
            self._ahead.extend(line for line in [next(self._lines, None)] if line is not None)
        return bool(self._ahead)

    def put_back_all_but_one(self) -> str:
        first, *others = self.taken
        self._ahead.extendleft(reversed(others))
        self.number -= len(others)
        return first.rstrip("\r\n")
