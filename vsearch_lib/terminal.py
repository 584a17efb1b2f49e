"""Makes text from outside safe for a terminal: ids, tags, file names and messages never control it."""

import re
import unicodedata

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
# Besides controls and formats: invisible characters that Unicode counts as letters and marks.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
# Formats that are visible: signs of Arabic, Syriac and Kaithi that enclose the number after them.
_VISIBLE_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_JOINERS = "\u200c\u200d"  # Persian and Indian words need them, and emoji made of several
_JOINED = ("L", "M", "S")  # categories of what they join
_SUSPECT = re.compile(r"[^ -~]")


def printable(text: str) -> str:
    """Return `text` as one line that cannot control a terminal; letters of any script and emoji stay as they are.

    Control characters, ends of lines, changes of direction, invisible characters and unpaired surrogates are escaped,
    as in \\x1b, \\n and \\u202e.
    """
    return _SUSPECT.sub(lambda match: _shown(text, match.start()), text)


def say(line: str) -> None:
    """Print `line` for the user."""
    print(printable(line))


def _shown(text: str, index: int) -> str:
    character = text[index]
    if character in _JOINERS:
        harmless = 0 < index < len(text) - 1 and _joins(text[index - 1]) and _joins(text[index + 1])
    else:
        category = unicodedata.category(character)
        harmless = character in _VISIBLE_FORMATS or (
            category not in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _INVISIBLE
        )
    return character if harmless else _escaped(character)


def _joins(neighbour: str) -> bool:
    return not neighbour.isascii() and unicodedata.category(neighbour)[0] in _JOINED


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
