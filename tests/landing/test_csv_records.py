"""CSV by RFC 4180: valid records are read, and only invalid ones are refused."""

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
def test_the_line_ends_of_every_system_are_accepted(end):
    assert records(f"a,b{end} {end}c,d") == [(1, ["a", "b"]), (3, ["c", "d"])]


def test_a_line_with_an_unclosed_quote_is_refused_and_the_next_lines_are_read():
    read = list(csv_records(io.StringIO('a,b\nc,"d\ne,f\ng,h\n', newline="")))
    assert [(record.line, record.fields) for record in read] == [
        (1, ["a", "b"]),
        (2, None),
        (3, ["e", "f"]),
        (4, ["g", "h"]),
    ]
    assert (read[1].text, read[1].problem) == ('c,"d', "not CSV: a quote is not closed")


def test_a_line_with_text_after_a_closing_quote_is_refused():
    assert records('a,"b"c"\nd,e\n') == [(1, None), (2, ["d", "e"])]


def test_a_line_with_a_value_above_the_limit_of_length_is_refused():
    long = 'a,"' + "x" * (csv.field_size_limit() + 1) + "\n"
    assert records(f"{long}b,c\n") == [(1, None), (2, ["b", "c"])]


ROWS = st.lists(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6), min_size=2, max_size=3
    ),
    max_size=6,
)


@given(ROWS)
def test_records_of_pythons_writer_are_read_unchanged(rows):
    sink = io.StringIO(newline="")
    csv.writer(sink).writerows(rows)
    assert [fields for _, fields in records(sink.getvalue())] == rows


@given(st.text(st.sampled_from('ab,"\n\r'), max_size=40))
def test_no_line_is_lost_or_read_twice(text):
    lines = io.StringIO(text, newline="").readlines()
    read = [line for record in csv_records(lines) for line in io.StringIO(record.text, newline="").readlines()]
    assert "".join(read).replace("\r", "").replace("\n", "") == text.replace("\r", "").replace("\n", "")
