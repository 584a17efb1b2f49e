"""Groups count what may be compared, and with which weight."""

import numpy as np
import pytest

from vsearch_lib.examples.propensity import Counts
from vsearch_lib.examples.propensity.grouping import Groups, moved, reranked, shuffled
from vsearch_lib.examples.propensity.tally import tally

# (pair, version, position, randomised, impressions, clicks)
Row = tuple[int, int, int, bool, int, int]


def log(*rows: Row, min_clicks: int = 1):
    """Make a tally of rows that are all in half 0 and bucket 0."""
    pair, version, position, randomised, impressions, clicks = (np.array(column) for column in zip(*rows, strict=True))
    nothing = np.zeros_like(pair)
    counts = Counts(pair, version, position, nothing, nothing, randomised, impressions, clicks)
    return tally(counts, min_clicks=min_clicks)


def sums(groups: Groups | None) -> list[tuple[int, int, float, float]]:
    """Return group, position, impressions and clicks of each cell."""
    assert groups
    cells = groups.cells
    position = groups.positions[cells.place]
    return sorted(
        zip(cells.group.tolist(), position.tolist(), cells.shown.tolist(), cells.clicked.tolist(), strict=True)
    )


def test_a_pair_of_two_versions_counts_with_the_same_weight_at_both_positions():
    # 30 * 60 / (30 + 60) = 20, of which 10/30 and 6/60 are clicked; 10 * 10 / 20 = 5, of which 4/10 and 2/10 are.
    groups = reranked(
        log((7, 1, 1, False, 30, 10), (7, 2, 2, False, 60, 6), (8, 2, 1, False, 10, 4), (8, 1, 2, False, 10, 2))
    )
    assert sums(groups) == [(0, 1, 25, pytest.approx(20 / 3 + 2)), (0, 2, 25, pytest.approx(3))]
    assert (groups.impressions.tolist(), groups.clicks.tolist()) == ([40, 70], [14, 8])


def test_two_positions_of_one_version_are_not_an_intervention_but_a_move():
    rows = [(7, 1, 1, False, 30, 10), (7, 1, 2, False, 60, 6)]
    assert reranked(log(*rows)) is None
    assert sums(moved(log(*rows))) == [(0, 1, 20, pytest.approx(20 / 3)), (0, 2, 20, pytest.approx(2))]


def test_a_shuffled_page_is_another_ranking_of_its_version():
    assert sums(reranked(log((7, 1, 1, False, 30, 10), (7, 1, 2, True, 60, 6)))) == [
        (0, 1, 20, pytest.approx(20 / 3)),
        (0, 2, 20, pytest.approx(2)),
    ]


def test_different_pairs_are_never_compared():
    assert moved(log((7, 1, 1, False, 30, 10), (8, 2, 2, False, 60, 6))) is None


def test_no_impression_counts_more_than_once_in_all_groups_together():
    groups = moved(log((7, 1, 1, False, 10, 9), (7, 2, 2, False, 20, 9), (7, 3, 3, False, 30, 9)))
    counted = np.bincount(groups.cells.place, groups.cells.shown)
    # At position 1 it is 10 * 20 / 60 + 10 * 30 / 60.
    np.testing.assert_allclose(counted, [10 * 50 / 60, 20 * 40 / 60, 30 * 30 / 60])


def test_shuffled_pages_count_whole_and_other_pages_do_not_count():
    rows = [(7, 1, 1, True, 30, 10), (8, 1, 2, True, 60, 6), (7, 1, 1, False, 500, 200), (7, 1, 2, False, 500, 100)]
    groups = shuffled(log(*rows))
    assert sums(groups) == [(0, 1, 30, 10), (0, 2, 60, 6)]
    assert (groups.impressions.tolist(), groups.clicks.tolist()) == ([30, 60], [10, 6])


def test_positions_are_connected_through_others_and_left_out_if_they_are_not():
    chain = [(1, 1, 1, False, 30, 10), (1, 2, 2, False, 30, 8), (2, 1, 2, False, 30, 9), (2, 2, 5, False, 30, 6)]
    apart = [(3, 1, 8, False, 30, 9), (3, 2, 9, False, 30, 9)]
    assert reranked(log(*chain, *apart)).positions.tolist() == [1, 2, 5]


def test_a_position_with_too_few_clicks_to_compare_is_left_out():
    rows = [(1, 1, 1, False, 100, 40), (1, 2, 2, False, 100, 30), (2, 1, 1, False, 100, 40), (2, 2, 3, False, 100, 4)]
    # Each impression weighs one half, so that position 3 has two clicks.
    assert reranked(log(*rows, min_clicks=2)).positions.tolist() == [1, 2, 3]
    assert reranked(log(*rows, min_clicks=3)).positions.tolist() == [1, 2]
