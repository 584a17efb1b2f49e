"""What is printed is one line, and does nothing to a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.terminal import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("new\nline\ttab\r", r"new\nline\ttab\r"),
        ("\u202egpj.evil.jpg", r"\u202egpj.evil.jpg"),
        ("\u200b.jpg", r"\u200b.jpg"),
        ("nul\0\x7f\x9b", r"nul\x00\x7f\x9b"),
        ("\u2028", r"\u2028"),
        ("\udcff", r"\udcff"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_what_is_not_shown_is_spelled_out(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["", "größe 東京.jpg", "عربى", "नमस्ते", "می‌خواهم", "👩‍👩‍👧", "C:\\a", "a\u00a0b", "\u202fPM"]
)
def test_letters_of_any_script_and_emoji_stay(text):
    assert printable(text) == text


@given(st.text())
def test_nothing_printed_moves_the_cursor(text):
    shown = printable(text)
    assert shown.splitlines() == ([shown] if shown else [])
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    shown.encode()
    assert printable(shown) == shown
