"""A run stops if it refuses too many items."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.errors import GateRefused
from vsearch_lib.quarantine.share import check_share


def test_at_the_limit_a_run_goes_on():
    check_share("users", landed=100, refused=5, limit=0.05)


def test_above_the_limit_a_run_stops_with_exit_code_3_and_states_both_shares():
    with pytest.raises(GateRefused, match=r"users: 6 of 100 .*6\.0%.*quality\.max_refused_share = 0\.05") as caught:
        check_share("users", landed=100, refused=6, limit=0.05)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_at_a_limit_of_zero_a_single_refusal_stops_the_run():
    check_share("users", landed=100, refused=0, limit=0)
    with pytest.raises(GateRefused):
        check_share("users", landed=100, refused=1, limit=0)


def test_a_run_without_landed_items_goes_on():
    check_share("users", landed=0, refused=0, limit=0)


@given(landed=st.integers(1, 10_000), refused=st.integers(0, 10_000))
def test_at_a_limit_of_one_no_refusal_stops_the_run(landed, refused):
    check_share("users", landed=landed, refused=min(landed, refused), limit=1)
