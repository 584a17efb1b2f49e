"""Fields of a query become what is asked, or are refused in one line."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.search.filter import Filter
from vsearch_lib.serving.ask import Ask, Crop
from vsearch_lib.serving.http.problems import Problem
from vsearch_lib.serving.http.query import FIELD_BYTES, answer_id_of, json_object, query_of


def asked(fields: dict, picture: bytes | None = None) -> Ask:
    return query_of(fields).ask(picture, max_k=200)


def test_a_form_and_json_ask_the_same():
    form = {"k": "5", "tags": ["red", "shoe"], "crop": "1,2,30,40", "copies": "true", "after": "2026-03-01"}
    as_json = {"k": 5, "tags": ["red", "shoe"], "crop": [1, 2, 30, 40], "copies": True, "after": "2026-03-01"}
    wanted = Filter(None, ("red", "shoe"), datetime(2026, 3, 1, tzinfo=UTC), None, None)
    expected = Ask(b"p", None, Crop(1, 2, 30, 40), (), (), 5, wanted, "similarity", True, False)
    assert asked(form, b"p") == asked(as_json, b"p") == expected


def test_every_field_reaches_the_query():
    fields = {"image_id": "a/b", "like": ["c"], "unlike": ["d", "e"], "sort": "newest", "expand": True}
    filters = {"owner_id": "o", "user_id": "u", "before": "2026-03-01T12:00:00+02:00", "tags": "a,b"}
    wanted = Filter("o", ("a", "b"), None, datetime(2026, 3, 1, 10, tzinfo=UTC), "u")
    assert asked({**fields, **filters}) == Ask(None, "a/b", None, ("c",), ("d", "e"), 10, wanted, "newest", False, True)


def test_tags_in_a_json_list_may_have_commas():
    assert asked({"image_id": "a", "tags": ["red, dark", "b"]}).wanted.tags == ("red, dark", "b")


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"k": 0}, "k: "),
        ({"k": 201}, "k: at most 200 answers can be asked for"),
        ({"k": "ten"}, "k: "),
        ({"k": 10**400}, "k: at most 200"),
        ({"crop": "1,2,3"}, "crop: must be x,y,width,height"),
        ({"crop": "1,2,3,x"}, "crop: must be x,y,width,height"),
        ({"crop": "nan,0,1,1"}, "crop: must lie inside the picture"),
        ({"crop": "0,0,inf,1"}, "crop: must lie inside the picture"),
        ({"crop": [0, 0, 1e400, 1]}, "crop: must lie inside the picture"),
        ({"crop": [0, 0, 10**400, 1]}, "crop: must be x,y,width,height"),
        ({"crop": "-1,0,1,1"}, "crop: must lie inside the picture"),
        ({"crop": "0,0,0,1"}, "crop: must lie inside the picture"),
        ({"crop": [True, 0, 1, 1]}, "crop: must be x,y,width,height"),
        ({"crop": {"x": 1}}, "crop: must be x,y,width,height"),
        ({"after": "yesterday"}, "after: must be a date or a time as"),
        ({"after": "2026"}, "after: must be a date or a time as"),
        ({"after": 20260301}, "after: must be a date or a time as"),
        ({"before": "0001-01-01T00:00:00+14:00"}, "before: must be a date or a time as"),
        ({"sort": "random"}, "sort: "),
        ({"copies": "perhaps"}, "copies: "),
        ({"image_id": ""}, "image_id: "),
        ({"image_id": 5}, "image_id: "),
        ({"image_id": "x" * 1025}, "image_id: "),
        ({"image_id": "\ud800"}, "image_id: must be valid Unicode"),
        ({"like": ["a"] * 65}, "like: "),
        ({"like": "a"}, "like: "),
        ({"tags": [["a"]]}, "tags.0: "),
        ({"colour": "red"}, "colour: there is no such field"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_the_name_of_its_field(fields, line):
    with pytest.raises(Problem) as refused:
        asked({"image_id": "a", **fields})
    assert refused.value.status == 400
    assert refused.value.line.startswith(line)
    assert "\n" not in refused.value.line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = ("k", "tags", "owner_id", "after", "before", "user_id", "sort", "copies", "expand", "image_id", "crop", "like")


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), JSON, max_size=6))
def test_any_fields_make_a_query_or_a_problem(fields):
    try:
        ask = asked(fields)
    except Problem:
        return
    assert 1 <= ask.k <= 200
    hash(ask)  # the cache needs it
    assert ask.wanted.uploaded_from is None or ask.wanted.uploaded_from.tzinfo is UTC
    assert ask.crop is None or (ask.crop.width > 0 and ask.crop.x >= 0)


@given(st.binary(max_size=200) | JSON.map(lambda content: json.dumps(content).encode()))
def test_any_body_is_an_object_or_a_problem(body):
    with suppress(Problem):
        assert isinstance(json_object(body), dict)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 60_000, 400),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
        (b'{"k": ' + b"9" * 60_000 + b"}", 400),
        (b'{"k": NaN}', 400),
        (b'{"k": Infinity}', 400),
        (b"\xff\xfe{\x00}\x00", 200),  # UTF-16, which JSON once allowed
        (b"\xff", 400),
        (b"{}" + b" " * FIELD_BYTES, 413),
    ],
    ids=range(8),
)
def test_json_that_breaks_parsers_is_refused(body, status):
    if status == 200:
        assert json_object(body) == {}
        return
    with pytest.raises(Problem) as refused:
        json_object(body)
    assert refused.value.status == status


def test_the_id_of_an_answer_is_taken_out_of_the_fields():
    fields = {"answer_id": "a", "k": 3}
    assert (answer_id_of(fields), fields) == ("a", {"k": 3})
    for wrong in ({}, {"answer_id": ""}, {"answer_id": 3}, {"answer_id": "\ud800"}):
        with pytest.raises(Problem, match=r"^answer_id: "):
            answer_id_of(wrong)
