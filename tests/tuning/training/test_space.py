"""What to try is read from words; what cannot be tried is refused in one line that names the word."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.config import Settings, load_settings
from vsearch_lib.errors import InvalidArgument
from vsearch_lib.tuning.training.space import Between, Listed, overrides_of, parse_space, setting

# Reading conf/ takes longer than all else here, and does not depend on the words.
SETTINGS = load_settings("demo").model_dump()


def settings_with(overrides: list[str]) -> Settings:
    """As `load_settings` checks them, for numbers of the section training."""
    values = dict(override.removeprefix("training.").split("=") for override in overrides)
    values = {name: None if value == "null" else value for name, value in values.items()}
    return Settings.model_validate({**SETTINGS, "training": {**SETTINGS["training"], **values}})


def really_with(overrides: list[str]) -> Settings:
    return load_settings("demo", overrides)


dropouts = st.floats(0, 1, exclude_max=True)
sizes = st.integers(2, 10**6)


@given(st.lists(dropouts, min_size=1), st.lists(sizes, min_size=1))
def test_lists_are_read_as_their_distinct_values_in_order(some_dropouts, some_sizes):
    words = [
        "training.dropout=" + ",".join(map(repr, some_dropouts)),
        "training.batch_size=" + ",".join(map(str, some_sizes)),
    ]
    space = parse_space(words, settings_with)
    assert list(space) == ["training.batch_size", "training.dropout"]
    assert space["training.dropout"] == Listed(tuple(dict.fromkeys(some_dropouts)))
    assert space["training.batch_size"] == Listed(tuple(dict.fromkeys(some_sizes)))


@given(st.sampled_from([("dropout", dropouts), ("batch_size", sizes)]), st.booleans(), st.data())
def test_ranges_are_read_as_numbers_of_the_type_of_the_setting(setting_and_numbers, logarithmic, data):
    name, numbers = setting_and_numbers
    low, high = sorted(data.draw(st.lists(numbers.filter(bool), min_size=2, max_size=2, unique=True)))
    (tried,) = parse_space([f"training.{name}={low}:{high}{':log' * logarithmic}"], settings_with).values()
    assert tried == Between(low, high, logarithmic)
    assert type(tried.low) is type(tried.high) is type(low)


@given(st.one_of(st.none(), st.floats(min_value=0, exclude_min=True, allow_infinity=False)))
def test_a_value_written_as_an_override_is_read_back_exactly(rate):
    point = (("training.learning_rate", rate),)
    (word,) = overrides_of(point)
    assert parse_space([word], settings_with) == {"training.learning_rate": Listed((rate,))}
    back = setting(settings_with([word]), "training.learning_rate")
    assert back == rate if rate is None else math.isclose(back, rate, rel_tol=0)


@pytest.mark.parametrize("text", ["0.0001", "1e-05", "null", "3"])
def test_the_configuration_reads_the_same_values(text):
    assert parse_space([f"training.learning_rate={text}"], really_with) == parse_space(
        [f"training.learning_rate={text}"], settings_with
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["training.dropout"], "attempts training.dropout: write section.key=value,value or section.key=low:high"),
        (["model.dimension=8,16"], "only settings of the section training can be tried"),
        (["dropout=0,0.1"], "only settings of the section training can be tried"),
        (["training.seed=1,2"], "and not training.depth, training.min_pairs, training.processes"),
        (["training.depth=head,full"], "and not training.depth, training.min_pairs, training.processes"),
        (["training.rate=1,2"], r"training.rate is not a setting; section training has: batch_size, .*"),
        (["training.dropout=0,1"], "training.dropout=1: training.dropout = 1: input should be less than 1"),
        (["training.dropout=0,,0.1"], "training.dropout = '': input should be a valid number"),
        (["training.dropout="], "training.dropout = '': input should be a valid number"),
        (["training.batch_size=16.5,32"], "training.batch_size = 16.5: input should be a valid integer"),
        (["training.dropout=0:1"], "training.dropout=1: training.dropout = 1: input should be less than 1"),
        (["training.dropout=0.5:0.1"], "a range needs the lower number first"),
        (["training.dropout=0.5:0.5"], "a range needs the lower number first"),
        (["training.dropout=0:0.5:log"], "a logarithmic range begins above 0"),
        (["training.dropout=0:0.5:linear"], "write a range as low:high or low:high:log"),
        (["training.dropout=0:0.5:log:2"], "write a range as low:high or low:high:log"),
        (["training.learning_rate=null:1"], "only numbers have others between them"),
        (["training.temperature=0.1:.inf"], "only numbers have others between them"),
        (["training.dropout=0", "training.dropout=0.1"], "training.dropout is given twice"),
    ],
)
def test_what_cannot_be_tried_is_refused(words, message):
    with pytest.raises(InvalidArgument, match=message):
        parse_space(words, really_with)
