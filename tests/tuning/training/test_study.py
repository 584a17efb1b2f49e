"""Points are drawn as the words say, always the same ones; outcomes are read back from JSON lines."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.errors import InvalidArgument
from vsearch_lib.tuning.training.space import Between, Listed
from vsearch_lib.tuning.training.study import Outcome, Study, draw

SPACE = {
    "training.batch_size": Between(16, 256, logarithmic=True),
    "training.dropout": Between(0.0, 0.5, logarithmic=False),
    "training.learning_rate": Listed((None, 0.001)),
}
GRID = {"training.batch_size": Listed((16, 32, 64)), "training.learning_rate": Listed((None, 0.001))}
OUTCOME = Outcome(recall_at_start=0.25, recalls=(0.5, 1.0), best_epoch=2, epochs=3, seconds=1.5)


def test_a_grid_has_each_combination_once():
    points = draw(GRID, None, seed=1)
    assert sorted(points, key=str) == sorted(
        [
            (("training.batch_size", size), ("training.learning_rate", rate))
            for size, rate in product((16, 32, 64), (None, 0.001))
        ],
        key=str,
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(-(2**40), 2**40), st.integers(1, 12), st.sampled_from([SPACE, GRID]))
def test_the_same_seed_draws_the_same_points_and_more_points_begin_with_the_same(seed, trials, space):
    points = draw(space, trials, seed=seed)
    assert len(set(points)) == len(points)
    assert draw(space, 15, seed=seed)[: len(points)] == points


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.001, 0.4), st.floats(0.001, 0.5), st.booleans())
def test_drawn_numbers_lie_in_their_range_have_its_type_and_few_digits(seed, low, width, logarithmic):
    space = {**SPACE, "training.dropout": Between(low, low + width, logarithmic)}
    for point in map(dict, draw(space, 5, seed=seed)):
        size, dropout, rate = point.values()
        assert type(size) is int
        assert 16 <= size <= 256
        assert low <= dropout <= low + width
        assert dropout in (low, low + width) or len(f"{dropout:e}".split("e")[0].rstrip("0").replace(".", "")) <= 3
        assert rate in (None, 0.001)


def test_another_seed_draws_others():
    assert draw(SPACE, 5, seed=1) != draw(SPACE, 5, seed=2)
    assert draw(GRID, 3, seed=1) != draw(GRID, 3, seed=2)


def test_a_range_needs_a_number_of_trials():
    with pytest.raises(InvalidArgument, match="trials is needed"):
        draw(SPACE, None, seed=1)


def test_whole_numbers_that_are_drawn_again_are_left_out():
    points = draw({"training.epochs": Between(1, 3, logarithmic=False)}, 30, seed=1)
    assert sorted(points) == [(("training.epochs", n),) for n in (1, 2, 3)]


@pytest.mark.parametrize("space", [SPACE, GRID])
def test_outcomes_are_read_back_from_json_lines(tmp_path, space):
    file = tmp_path / "tuning" / "study.jsonl"
    points = [(), *draw(space, 4, seed=1)]
    failed = Outcome(None, (), 0, 0, 2.5, failure="its loss is no number")
    outcomes = dict(zip(points, [OUTCOME, failed, OUTCOME, OUTCOME, failed], strict=True))
    study = Study(file, space, pytest.fail)
    for point, outcome in outcomes.items():
        study.add(point, outcome)
    assert study.outcomes == outcomes
    assert Study(file, space, pytest.fail).outcomes == outcomes
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert sum("params" in line for line in lines) == len(points)
    assert [other.name for other in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20] + b"\n" + content[-20:],
        lambda content: b"\x80\x04K\x01.\n",
        lambda content: content.replace(b'"recalls"', b'"recall"'),
        lambda content: b"[]\n",
    ],
)
def test_a_damaged_file_is_begun_again_and_a_line_says_so(tmp_path, damage):
    file, said = tmp_path / "study.jsonl", []
    Study(file, GRID, pytest.fail).add((), OUTCOME)
    file.write_bytes(damage(file.read_bytes()))
    study = Study(file, GRID, said.append)
    assert study.outcomes == {}
    (line,) = said
    assert line.startswith(f"{file} cannot be read (")
    assert line.endswith("the search begins again")
    study.add((), OUTCOME)
    assert Study(file, GRID, pytest.fail).outcomes == {(): OUTCOME}
