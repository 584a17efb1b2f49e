"""Windows end with the newest day, and rows are permuted by owner, or by day if there are few owners."""

from datetime import date, timedelta

import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.measure.monitoring.windows import Windows, sides

LAST = date(2026, 11, 30)


def test_the_earlier_days_end_before_the_new_ones_begin():
    chosen = load_settings("demo", []).monitoring.model_copy(update={"days": 7, "earlier_days": 28})
    windows = Windows.until(LAST, chosen)
    assert (windows.first_earlier, windows.first, windows.last) == (date(2026, 10, 27), date(2026, 11, 24), LAST)
    assert (windows.last - windows.first).days + 1 == 7
    assert (windows.first - windows.first_earlier).days == 28


@pytest.mark.parametrize(
    ("owners", "units"),
    [
        # Nine owners on each side can be divided in 48,620 ways, one owner in none.
        ([f"owner {row % 9}" for row in range(36)], 18),
        (["ann"] * 36, 36),
    ],
)
def test_an_owner_has_a_unit_on_each_side_unless_there_are_few_owners(owners, units):
    is_new = [row < 18 for row in range(36)]
    days = [LAST - timedelta(days=row) for row in range(36)]
    marks, found = sides(is_new, owners, days, permutations=999)
    assert marks.tolist() == is_new
    assert len(set(found)) == units
    assert not set(found[:18]) & set(found[18:])
