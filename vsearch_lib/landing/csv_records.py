"""Records of a CSV text, strictly by RFC 4180: an invalid record is refused, and the records around it are read."""

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
    """A record that begins in `line` (counted from 1): its text, and its fields, or the problem with them."""

    line: int
    text: str
    fields: list[str] | None
    problem: str | None


def csv_records(lines: Iterable[str]) -> Iterator[CsvRecord]:
    """Yield the records of `lines`, which include their line ends; blank lines are skipped.

    If the quotes of a record are invalid, its first line is refused, and reading goes on with the next line: a quote
    that is never closed does not make the rest of the file unreadable.
    """
    feed = _Feed(lines)
    while feed.more():
        feed.consumed.clear()
        line = feed.number + 1
        try:
            fields = next(csv.reader(feed, strict=True))
        except (csv.Error, StopIteration) as error:
            yield CsvRecord(line, feed.put_back_all_but_one(), None, f"not CSV: {_PROBLEMS.get(str(error), error)}")
            continue
        if fields and "".join(feed.consumed).strip():
            yield CsvRecord(line, "".join(feed.consumed).rstrip("\r\n"), fields, None)


class _Feed:
    """An iterator of lines that can put back the lines that a record consumed."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._ahead: deque[str] = deque()
        self.number = 0
        self.consumed: list[str] = []

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else next(self._lines)
        self.number += 1
        self.consumed.append(line)
        return line

    def more(self) -> bool:
        if not self._ahead:
            self._ahead.extend(line for line in [next(self._lines, None)] if line is not None)
        return bool(self._ahead)

    def put_back_all_but_one(self) -> str:
        first, *others = self.consumed
        self._ahead.extendleft(reversed(others))
        self.number -= len(others)
        return first.rstrip("\r\n")
