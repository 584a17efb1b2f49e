"""The fit finds the parameters that made the clicks, if the clicks determine them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.examples.propensity.fit import Cells, Parameters, fit


def cells(*rows: tuple[int, int, float, float]) -> Cells:
    """Make cells of rows of group, place, impressions and clicks, all of bucket 0."""
    group, place, shown, clicked = (np.array(column) for column in zip(*rows, strict=True))
    return Cells(group, place, np.zeros_like(group), shown.astype(float), clicked.astype(float))


def test_two_groups_at_two_positions_determine_examination_and_accidents():
    # accident 0.1, examination 1 and 0.5, relevance 0.8 and 0.2:
    # 0.1 + 0.9 * 0.8 = 0.82, 0.1 + 0.9 * 0.5 * 0.8 = 0.46; 0.1 + 0.9 * 0.2 = 0.28, 0.1 + 0.9 * 0.5 * 0.2 = 0.19
    found = fit(cells((0, 0, 1000, 820), (0, 1, 1000, 460), (1, 0, 100, 28), (1, 1, 5000, 950)))
    assert found.accident == pytest.approx(0.1, abs=1e-5)
    np.testing.assert_allclose(found.examination, [1, 0.5], atol=1e-5)
    np.testing.assert_allclose(found.relevance, [0.8, 0.2], atol=1e-5)


def test_with_one_group_the_curve_is_the_ratio_of_click_rates():
    found = fit(cells((0, 0, 200, 80), (0, 1, 100, 10), (0, 2, 50, 10)))
    assert found.accident == 0
    np.testing.assert_allclose(found.examination, [1, 0.25, 0.5], atol=1e-6)
    np.testing.assert_allclose(found.relevance, [0.4], atol=1e-6)


def test_a_position_without_clicks_is_not_examined():
    found = fit(cells((0, 0, 100, 50), (0, 1, 100, 0), (1, 0, 100, 10), (1, 1, 100, 0)))
    assert found.examination[1] == pytest.approx(0, abs=1e-6)


def test_groups_that_share_no_position_with_most_others_are_fitted_too():
    # Group 0 links the positions 1 and 2, group 1 links 2 and 3, and group 2 is at all of them with another relevance.
    examination, relevance, accident = np.array([1, 0.6, 0.3]), np.array([0.5, 0.9, 0.1]), 0.02
    where = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
    rates = [accident + (1 - accident) * examination[place] * relevance[group] for group, place in where]
    found = fit(cells(*((group, place, 1.0, rate) for (group, place), rate in zip(where, rates, strict=True))))
    np.testing.assert_allclose(found.examination, examination, atol=1e-4)
    assert found.accident == pytest.approx(accident, abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(
    accident=st.floats(0.001, 0.1),
    examination=st.lists(st.floats(0.05, 0.9), min_size=2, max_size=8),
    relevance=st.lists(st.floats(0.05, 0.15), min_size=1, max_size=3),
    top=st.floats(0.4, 0.9),
    impressions=st.integers(1, 10_000),
)
def test_clicks_without_chance_give_back_the_parameters(accident, examination, relevance, top, impressions):
    curve, relevances = np.array([1.0, *examination]), np.array([top, *relevance])
    group, place = (axis.ravel() for axis in np.mgrid[: len(relevances), : len(curve)])
    rate = accident + (1 - accident) * curve[place] * relevances[group]
    shown = np.full(len(group), float(impressions))
    found = fit(Cells(group, place, np.zeros_like(group), shown, shown * rate))
    np.testing.assert_allclose(found.examination, curve, rtol=0.01, atol=1e-3)
    assert found.accident == pytest.approx(accident, abs=1e-3)


def test_a_fit_that_begins_at_other_parameters_ends_at_the_same_ones():
    table = cells((0, 0, 1000, 820), (0, 1, 1000, 460), (1, 0, 1000, 280), (1, 1, 1000, 190))
    edge = Parameters(1e-12, np.array([1.0, 1.0]), np.array([1.0, 0.0]))
    np.testing.assert_allclose(fit(table, start=edge).examination, [1, 0.5], atol=1e-5)
