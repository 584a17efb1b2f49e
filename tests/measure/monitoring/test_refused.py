"""A reason that refuses surely more than before is an alert; a small number of items is not."""

import pytest

from vsearch_lib.measure.monitoring.check import Verdict
from vsearch_lib.measure.monitoring.refused import Landed, refusal_check


def check(new: Landed, earlier: Landed):
    return refusal_check("images", new, earlier, max_growth=0.02)


def test_a_reason_that_grew_is_named_with_both_shares():
    found = check(Landed(900, {"undecodable": 90, "too_small": 10}), Landed(3960, {"undecodable": 40}))
    assert (found.verdict, found.seen) == (Verdict.ALERT, "undecodable 9.0%, 1.0% before")


def test_shares_have_an_exact_interval():
    figures = {f.slice: f for f in check(Landed(90, {"too_small": 10}), Landed(90, {"too_small": 10})).figures}
    # Clopper and Pearson for 10 of 100, as in their tables.
    assert figures["too_small"].value == pytest.approx(0.1)
    assert (figures["too_small"].low, figures["too_small"].high) == pytest.approx((0.049, 0.1762), abs=1e-4)


@pytest.mark.parametrize(
    ("new", "earlier"),
    [
        (Landed(2, {"undecodable": 1}), Landed(1000, {})),  # a third, but of three items
        (Landed(970, {"undecodable": 30}), Landed(980, {"undecodable": 20})),  # a growth that is allowed
        (Landed(100, {}), Landed(0, {"undecodable": 50})),  # better than before
    ],
)
def test_what_may_be_chance_or_is_allowed_is_no_alert(new, earlier):
    assert check(new, earlier).verdict == Verdict.OK


@pytest.mark.parametrize(("new", "earlier"), [(Landed(0, {}), Landed(9, {})), (Landed(9, {}), Landed(0, {}))])
def test_without_items_on_a_side_there_is_no_data(new, earlier):
    assert check(new, earlier).verdict == Verdict.NO_DATA
