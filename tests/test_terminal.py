"""Text from outside is printed as one line that cannot control a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from vsearch_lib import terminal
from vsearch_lib.errors import ArtefactError
from vsearch_lib.run.exit_codes import exit_code
from vsearch_lib.terminal import printable, say

INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
SHOWN = st.characters(categories=("L", "M", "N", "P", "S", "Zs"), exclude_characters="".join(terminal._INVISIBLE))


@pytest.mark.parametrize(
    "text",
    [
        "mug plain glossy",
        r"C:\photos\a",
        "Jörg's 東京 фото صورة ภาพ",
        "می\u200cخواهم",  # Persian, with a non-joiner
        "क्\u200dष",  # Hindi, with a joiner
        "👩\u200d👩\u200d👧 ❤\ufe0f 👍🏽 🇩🇪",
        "e\u0301",
        "\u0600١٢",
        "",
    ],
)
def test_words_of_any_script_and_emoji_stay_as_they_are(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m\x7f\x00", r"\x9b31m\x7f\x00"),
        ("gpj\u202e.exe", r"gpj\u202e.exe"),
        ("\u2066a\u2069", r"\u2066a\u2069"),
        ("a\u200bb\ufeffc\u00add", r"a\u200bb\ufeffc\xadd"),
        ("a\u200db", r"a\u200db"),
        ("\u2028\u2029\x85", r"\u2028\u2029\x85"),
        ("\udcff", r"\udcff"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_characters_that_control_a_terminal_or_are_invisible_are_escaped(text, shown):
    assert printable(text) == shown


@examples(max_examples=300, deadline=None)
@given(st.text(st.characters(codec=None)))
def test_any_text_becomes_one_printable_line_without_control_characters(text):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    shown.encode()
    assert all(
        unicodedata.category(c) not in INVISIBLE
        for c in shown
        if c not in terminal._VISIBLE_FORMATS | {*"\u200c\u200d"}
    )
    assert printable(shown) == shown


@examples(max_examples=300, deadline=None)
@given(st.text(SHOWN))
def test_letters_marks_numbers_and_signs_of_any_script_stay_as_they_are(text):
    assert printable(text) == text


def test_say_prints_one_line(capsys):
    say("a\nb\x1b")
    assert capsys.readouterr().out == "a\\nb\\x1b\n"


def test_an_error_with_text_from_outside_is_one_line(capsys):
    def fail() -> None:
        raise ArtefactError("no model \x1b[31mred\nof this name")

    assert exit_code(fail) == 1
    assert capsys.readouterr().err == "vsearch: no model \\x1b[31mred\\nof this name\n"
