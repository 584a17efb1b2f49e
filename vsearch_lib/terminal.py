"""Text from outside, as a terminal may have it: ids, tags, names of files and messages never steer it."""

import re
import unicodedata

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
# Besides controls and formats: what is drawn as nothing, though Unicode counts it among letters and marks.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
# Formats that are drawn: signs of Arabic, Syriac and Kaithi that enclose the number behind them.
_DRAWN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_JOINERS = "\u200c\u200d"  # Persian and Indian words need them, and pictures made of several
_JOINED = ("L", "M", "S")  # categories of what they join
_SUSPECT = re.compile(r"[^ -~]")


def printable(text: str) -> str:
    """Return `text` as one line that a terminal only shows; letters of any script and emoji stay as they are.

    Control characters, ends of lines, changes of direction, invisible characters and halves of a pair are escaped, as
    in \\x1b, \\n and \\u202e.
    """
    return _SUSPECT.sub(lambda found: _shown(text, found.start()), text)


def say(line: str) -> None:
    """Print `line` for a person."""
    print(printable(line))


def _shown(text: str, at: int) -> str:
    character = text[at]
    if character in _JOINERS:
        harmless = 0 < at < len(text) - 1 and _joins(text[at - 1]) and _joins(text[at + 1])
    else:
        category = unicodedata.category(character)
        harmless = character in _DRAWN or (category not in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _UNSEEN)
    return character if harmless else _escaped(character)


def _joins(neighbour: str) -> bool:
    return not neighbour.isascii() and unicodedata.category(neighbour)[0] in _JOINED


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
