"""The model of a row has not seen the row, and its click rates are smoothed as worked out by hand."""

import numpy as np
import pytest

from vsearch_lib.errors import VsearchError
from vsearch_lib.measure.off_policy.click_rates import cross_fitted

HALVES = np.array([[0.5, 0.5]])


def test_four_rows_by_hand():
    # Four rows make four parts: each row sees the other three. Row 0 sees no click. For the others the click rate is
    # 1/3, so that each rate borrows 3 rows with 1 click.
    model = cross_fitted([1, 0, 0, 0], np.array([0, 0, 1, 1]), np.zeros(4, int), HALVES, seed=0)
    assert model.estimated == pytest.approx([0, (1 + 1) / (1 + 3), (0 + 1) / (1 + 3), (0 + 1) / (1 + 3)])
    # Row 1 saw item 0 once, with its click, and item 1 twice. Rows 2 and 3 saw item 0 twice and item 1 once.
    assert model.expected == pytest.approx([0, (2 / 4 + 1 / 5) / 2, (2 / 5 + 1 / 4) / 2, (2 / 5 + 1 / 4) / 2])


def test_an_item_that_was_never_shown_gets_the_click_rate_of_its_position():
    # Each row sees one click in one row at position 0, and none at position 1: rates (1 + 1) / (1 + 1), 1 / (0 + 1).
    target = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    model = cross_fitted([1, 1], np.array([0, 0]), np.array([0, 0]), target, seed=0)
    assert model.estimated.tolist() == [1, 1]
    assert model.expected.tolist() == [1, 1]


def test_the_model_of_a_row_does_not_depend_on_its_own_click():
    rng = np.random.default_rng(0)
    reward, item, position = (rng.random(60) < 0.3).astype(float), rng.integers(4, size=60), rng.integers(2, size=60)
    target = np.full((2, 4), 0.25)
    before = cross_fitted(reward, item, position, target, seed=1)
    for row in range(60):
        changed = reward.copy()
        changed[row] = 1 - changed[row]
        after = cross_fitted(changed, item, position, target, seed=1)
        assert after.estimated[row] == before.estimated[row]
        assert after.expected[row] == before.expected[row]
        assert (after.estimated != before.estimated).any()


def test_with_many_rows_the_model_finds_the_click_rates():
    rng = np.random.default_rng(0)
    truth, target = np.array([[0.1, 0.4], [0.2, 0.05]]), np.array([[0.5, 0.5], [0.0, 1.0]])
    item, position = rng.integers(2, size=40_000), rng.integers(2, size=40_000)
    reward = (rng.random(40_000) < truth[position, item]).astype(float)
    model = cross_fitted(reward, item, position, target, seed=0)
    assert np.abs(model.estimated - truth[position, item]).max() < 0.02
    assert np.abs(model.expected - np.array([0.25, 0.05])[position]).max() < 0.02


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reward": [1]}, "reward has 1 row; a model that has not seen a row needs another one"),
        ({"reward": [1, np.nan]}, "reward is nan in row 1"),
        ({"item": np.array([0, 2])}, "item goes from 0 to 2; number them from 0 to 1, as in target"),
        ({"item": np.array([-1, 0])}, "item goes from -1 to 0"),
        ({"position": np.array([1, 1])}, "position goes from 1 to 1; number them from 0 to 0"),
        ({"position": np.array([0])}, "position has the length 1, reward the length 2"),
        ({"target": np.array([[0.5, 0.6]])}, "target holds a row whose sum is not 1; give the probabilities of all"),
        ({"target": np.array([[0.5, np.nan]])}, "target holds a row whose sum is not 1"),
    ],
)
def test_rows_that_do_not_fit_are_refused_in_one_line(changed, message):
    rows = {"reward": [1, 0], "item": np.array([0, 1]), "position": np.array([0, 0]), "target": HALVES}
    with pytest.raises(VsearchError, match=f"^{message}") as refused:
        cross_fitted(**{**rows, **changed}, seed=0)
    assert "\n" not in str(refused.value)
