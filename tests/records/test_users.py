"""Users: age bands are stored instead of ages."""

import pytest

from vsearch_lib.lake import table_schema
from vsearch_lib.records.users import USERS

BANDS = {
    0: "under 18",
    17: "under 18",
    18: "18-24",
    24: "18-24",
    25: "25-34",
    34: "25-34",
    35: "35-44",
    44: "35-44",
    45: "45-54",
    54: "45-54",
    55: "55-64",
    64: "55-64",
    65: "65+",
    130: "65+",
}


@pytest.fixture(scope="module")
def landed(read_records):
    valid = [{"user_id": str(age), "age": age, "email": "e@x.org", "username": "n"} for age in BANDS]
    invalid = [{"user_id": "a", "age": -1}, {"user_id": "b", "age": 131}, {"age": 30}, {"user_id": ""}]
    return read_records(USERS, {"u.jsonl": [*valid, {"user_id": "?", "city": "Pisa"}, *invalid]})


@pytest.mark.parametrize(("age", "band"), BANDS.items())
def test_an_age_falls_into_its_band(landed, age, band):
    assert landed.accepted[str(age)]["age_band"] == band


def test_without_an_age_the_band_is_unknown(landed):
    assert landed.accepted["?"]["age_band"] == "unknown"
    assert landed.accepted["?"]["city"] == "Pisa"


def test_every_band_is_documented_in_the_schema(landed):
    (comment,) = (column.comment for column in table_schema("users").columns if column.name == "age_band")
    assert all(row["age_band"] in comment for row in landed.accepted.values())


def test_impossible_ages_and_missing_ids_are_refused(landed):
    first = len(BANDS) + 2
    assert {line: row["reason"] for (_, line), row in landed.refused.items()} == {
        first: "value_not_allowed",
        first + 1: "value_not_allowed",
        first + 2: "missing_field",
        first + 3: "missing_field",
    }
