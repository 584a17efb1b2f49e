"""Each refused row has one reason from a closed list."""

import pytest

from vsearch_lib.images.landed import RULES as IMAGES
from vsearch_lib.quarantine.reasons import REASONS, refuse_where
from vsearch_lib.records.interactions import INTERACTIONS
from vsearch_lib.records.judgements import JUDGEMENTS
from vsearch_lib.records.users import USERS


def test_the_first_rule_whose_condition_is_true_decides(spark):
    rules = {
        "n < 0": ("missing_field", "below zero"),
        "n < 10": ("value_not_allowed", "below ten"),
        "n > 100": ("too_small", "above a hundred"),
    }
    rows = spark.createDataFrame([(-5,), (5,), (50,), (500,), (None,)], "n int")
    assert [tuple(row) for row in refuse_where(rows, rules).collect()] == [
        (-5, "missing_field", "below zero"),
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
def test_every_rule_has_a_listed_reason_and_a_message_of_one_line(rules):
    assert {code for code, _ in rules.values()} <= set(REASONS)
    assert all(message.strip() and "\n" not in message for _, message in rules.values())
