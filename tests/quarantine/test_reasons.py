"""Refusals have a reason from a closed list, one a row, and too many of them stop a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.errors import GateRefused
from vsearch_lib.images.landed import RULES as IMAGES
from vsearch_lib.quarantine.reasons import REASONS, check_refused_share, refuse_where
from vsearch_lib.records.interactions import INTERACTIONS
from vsearch_lib.records.judgements import JUDGEMENTS
from vsearch_lib.records.users import USERS


def test_the_first_rule_that_holds_decides(spark):
    rules = {
        "n < 0": ("missing_field", "below nought"),
        "n < 10": ("value_not_allowed", "below ten"),
        "n > 100": ("too_small", "above a hundred"),
    }
    rows = spark.createDataFrame([(-5,), (5,), (50,), (500,), (None,)], "n int")
    assert [tuple(row) for row in refuse_where(rows, rules).collect()] == [
        (-5, "missing_field", "below nought"),
        (5, "value_not_allowed", "below ten"),
        (50, None, None),
        (500, "too_small", "above a hundred"),
        (None, None, None),
    ]


def test_without_rules_everything_is_accepted(spark):
    rows = refuse_where(spark.range(2), {}).collect()
    assert [(row["reason"], row["message"]) for row in rows] == [(None, None)] * 2


def test_a_code_outside_the_list_is_an_error(spark):
    with pytest.raises(ValueError, match="bad_hair"):
        refuse_where(spark.range(1), {"id = 0": ("bad_hair", "a bad day")})


@pytest.mark.parametrize("rules", [IMAGES, INTERACTIONS.rules, JUDGEMENTS.rules, USERS.rules])
def test_every_rule_has_a_reason_of_the_list_and_one_line_of_words(rules):
    assert {code for code, _ in rules.values()} <= set(REASONS)
    assert all(message.strip() and "\n" not in message for _, message in rules.values())


def test_at_the_limit_a_run_goes_on():
    check_refused_share("users", landed=100, refused=5, limit=0.05)


def test_above_the_limit_a_run_stops_with_3_and_says_where_it_stands():
    with pytest.raises(GateRefused, match=r"users: 6 of 100 .*6\.0%.*quality\.max_refused_share = 0\.05") as caught:
        check_refused_share("users", landed=100, refused=6, limit=0.05)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_a_limit_of_nothing_takes_only_what_is_whole():
    check_refused_share("users", landed=100, refused=0, limit=0)
    with pytest.raises(GateRefused):
        check_refused_share("users", landed=100, refused=1, limit=0)


def test_nothing_landed_is_nothing_refused():
    check_refused_share("users", landed=0, refused=0, limit=0)


@given(landed=st.integers(1, 10_000), refused=st.integers(0, 10_000))
def test_a_limit_of_one_takes_anything(landed, refused):
    check_refused_share("users", landed=landed, refused=min(landed, refused), limit=1)
