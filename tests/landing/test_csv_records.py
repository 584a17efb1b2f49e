"""CSV as RFC 4180 has it: what fits is read, what does not is refused by itself."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.landing.csv_records import csv_records


def records(text: str) -> list[tuple[int, list[str] | None]]:
    return [(record.line, record.fields) for record in csv_records(io.StringIO(text, newline=""))]


def test_a_line_break_inside_quotes_belongs_to_its_record():
    assert records('a,"b\nc",d\ne,f,g\n') == [(1, ["a", "b\nc", "d"]), (3, ["e", "f", "g"])]


def test_quotes_inside_quotes_are_doubled():
    assert records('"say ""hi""",b\n') == [(1, ['say "hi"', "b"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(end):
    assert records(f"a,b{end} {end}c,d") == [(1, ["a", "b"]), (3, ["c", "d"])]


def test_a_quote_that_is_not_closed_refuses_its_line_and_the_next_are_read():
    found = list(csv_records(io.StringIO('a,b\nc,"d\ne,f\ng,h\n', newline="")))
    assert [(record.line, record.fields) for record in found] == [
        (1, ["a", "b"]),
        (2, None),
        (3, ["e", "f"]),
        (4, ["g", "h"]),
    ]
    assert (found[1].text, found[1].problem) == ('c,"d', "not CSV: a quote is not closed")


def test_text_behind_a_closing_quote_refuses_its_line():
    assert records('a,"b"c"\nd,e\n') == [(1, None), (2, ["d", "e"])]


def test_a_value_too_long_to_be_one_refuses_its_line():
    long = 'a,"' + "x" * (csv.field_size_limit() + 1) + "\n"
    assert records(f"{long}b,c\n") == [(1, None), (2, ["b", "c"])]


ROWS = st.lists(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6), min_size=2, max_size=3
    ),
    max_size=6,
)


@given(ROWS)
def test_what_pythons_writer_writes_is_read_as_it_was(rows):
    sink = io.StringIO(newline="")
    csv.writer(sink).writerows(rows)
    assert [fields for _, fields in records(sink.getvalue())] == rows


@given(st.text(st.sampled_from('ab,"\n\r'), max_size=40))
def test_no_line_is_lost_or_read_twice(text):
    lines = io.StringIO(text, newline="").readlines()
    taken = [line for record in csv_records(lines) for line in io.StringIO(record.text, newline="").readlines()]
    assert "".join(taken).replace("\r", "").replace("\n", "") == text.replace("\r", "").replace("\n", "")
