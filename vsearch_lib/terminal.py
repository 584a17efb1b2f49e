"""Text from outside, as a terminal may be given it: an id or a file's name must not move the cursor or start a line."""

import unicodedata

# Two that join letters and emoji, and move nothing.
_JOINERS = {"\u200c", "\u200d"}
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    """Return `text` on one line, with escapes in place of what is not shown: controls, bidi marks, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _JOINERS
    if not hidden:
        return character
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
