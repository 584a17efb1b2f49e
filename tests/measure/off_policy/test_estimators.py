"""Off-policy estimates agree with the reference implementation, with hand-worked rows and with real clicks."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.off_policy import estimates, open_bandit
from vsearch_lib.config import PROJECT
from vsearch_lib.errors import VsearchError
from vsearch_lib.measure.off_policy.estimators import (
    direct_method,
    doubly_robust,
    inverse_propensity,
    self_normalised,
    shrunk_doubly_robust,
)

REAL = PROJECT.parent / "shared" / "data" / "open-bandit"
REFERENCE = json.loads((Path(__file__).parent / "reference.json").read_text())

# Three rows with the weights 0.5, 2 and 1.
LOG = {"reward": [1, 1, 0], "propensity": [0.5, 0.25, 0.8], "target": [0.25, 0.5, 0.8]}
MODEL = {"estimated": [0.5, 0.25, 0.5], "expected": [0.25, 0.5, 0.25]}


def near(value: float) -> object:
    return pytest.approx(value, abs=1e-9)


def test_every_estimator_agrees_with_open_bandit_pipeline():
    model = {name: REFERENCE["inputs"][name] for name in MODEL}
    log = {name: REFERENCE["inputs"][name] for name in LOG}
    ours = {
        "inverse_propensity": inverse_propensity(**log),
        "inverse_propensity, max_weight 1.5": inverse_propensity(**log, max_weight=1.5),
        "self_normalised": self_normalised(**log),
        "direct_method": direct_method(model["expected"]),
        "doubly_robust": doubly_robust(**log, **model),
        "shrunk_doubly_robust, shrinkage 0.5": shrunk_doubly_robust(**log, **model, shrinkage=0.5),
        "shrunk_doubly_robust, shrinkage 20": shrunk_doubly_robust(**log, **model, shrinkage=20),
    }
    assert {name: found.value for name, found in ours.items()} == {
        name: near(value) for name, value in REFERENCE["values"].items()
    }


def test_inverse_propensity_weighting_of_three_rows():
    found = inverse_propensity(**LOG)
    assert found.value == near((0.5 + 2 + 0) / 3)
    assert found.n == 3
    assert found.effective_n == near(3.5**2 / (0.25 + 4 + 1))


def test_clipped_weights_of_three_rows():
    found = inverse_propensity(**LOG, max_weight=1)
    assert found.value == near((0.5 + 1 + 0) / 3)
    assert found.effective_n == near(2.5**2 / (0.25 + 1 + 1))


def test_self_normalised_weighting_of_three_rows():
    found = self_normalised(**LOG)
    assert found.value == near((0.5 + 2 + 0) / 3.5)
    assert found.effective_n == near(3.5**2 / (0.25 + 4 + 1))


def test_the_direct_method_on_three_rows():
    found = direct_method(MODEL["expected"])
    assert found.value == near((0.25 + 0.5 + 0.25) / 3)
    assert found.effective_n == found.n == 3


def test_the_doubly_robust_estimate_of_three_rows():
    corrected = [0.25 + 0.5 * (1 - 0.5), 0.5 + 2 * (1 - 0.25), 0.25 + 1 * (0 - 0.5)]
    assert doubly_robust(**LOG, **MODEL).value == near(sum(corrected) / 3)


def test_the_shrunk_doubly_robust_estimate_of_three_rows():
    # λ = 1 makes of the weights 0.5 / 1.25, 2 / 5 and 1 / 2
    corrected = [0.25 + 0.4 * (1 - 0.5), 0.5 + 0.4 * (1 - 0.25), 0.25 + 0.5 * (0 - 0.5)]
    found = shrunk_doubly_robust(**LOG, **MODEL, shrinkage=1)
    assert found.value == near(sum(corrected) / 3)
    assert found.effective_n == near(1.3**2 / (0.16 + 0.16 + 0.25))


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/open-bandit is not here: no real clicks to estimate from")
def test_the_estimate_agrees_with_the_observed_click_rate_of_the_random_policy():
    observed = open_bandit(REAL / "random-men" / "men.csv").reward.mean()
    found = estimates(open_bandit(REAL / "bts-men" / "men.csv"), seed=0)
    for name in ("IPW", "self-normalised IPW", "doubly robust"):
        low, high, effective_n = found[name].low, found[name].high, found[name].effective_n
        print(f"{name}: {low:.5f} to {high:.5f}, width {high - low:.5f}, effective sample size {effective_n:.0f}")
        assert low < observed < high
        # an interval that holds because it says nothing would agree too
        assert high < 0.01
        assert found[name].n == 10_000
        assert 500 < effective_n < 1_000


ROW = st.tuples(
    st.sampled_from([0.0, 1.0]),  # reward
    st.integers(1, 100).map(lambda percent: percent / 100),  # propensity
    st.integers(1, 100).map(lambda percent: percent / 100),  # target
    st.integers(0, 100).map(lambda percent: percent / 100),  # estimated
    st.integers(0, 100).map(lambda percent: percent / 100),  # expected
)
ROWS = st.lists(ROW, min_size=1, max_size=30).map(lambda rows: np.array(rows).T)


@given(ROWS)
@settings(deadline=None, max_examples=60)
def test_if_the_target_policy_is_the_logging_policy_the_estimate_is_the_mean_reward(rows):
    reward, propensity, _, estimated, expected = rows
    assert inverse_propensity(reward, propensity, propensity).value == near(reward.mean())
    assert self_normalised(reward, propensity, propensity).value == near(reward.mean())
    # the mean reward, and what the model expects in addition to its own rewards of the logged items
    surplus = (expected - estimated).mean()
    assert doubly_robust(reward, propensity, propensity, estimated, expected).value == near(reward.mean() + surplus)
    assert doubly_robust(reward, propensity, propensity, estimated, estimated).value == near(reward.mean())


@given(ROWS)
@settings(deadline=None, max_examples=60)
def test_shrinkage_goes_from_the_direct_method_to_the_doubly_robust_estimate(rows):
    assert shrunk_doubly_robust(*rows, shrinkage=1e-15).value == near(direct_method(rows[4]).value)
    unshrunk = doubly_robust(*rows)
    assert shrunk_doubly_robust(*rows, shrinkage=np.inf) == unshrunk
    assert shrunk_doubly_robust(*rows, shrinkage=1e20).value == near(unshrunk.value)


@given(ROWS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_the_order_of_the_rows_does_not_matter(rows, random):
    order = list(range(rows.shape[1]))
    random.shuffle(order)
    for estimate in (
        lambda log: inverse_propensity(*log[:3]),
        lambda log: inverse_propensity(*log[:3], max_weight=2),
        lambda log: self_normalised(*log[:3]),
        lambda log: direct_method(log[4]),
        lambda log: doubly_robust(*log),
        lambda log: shrunk_doubly_robust(*log, shrinkage=3),
    ):
        there, here = estimate(rows), estimate(rows[:, order])
        # relative, because intervals of one or two rows can reach to thousands
        assert (here.value, here.low, here.high, here.effective_n) == pytest.approx(
            (there.value, there.low, there.high, there.effective_n), rel=1e-6, abs=1e-7
        )


@given(ROWS, st.sampled_from([0.1, 0.5, 0.9]))
@settings(deadline=None, max_examples=60)
def test_self_normalisation_does_not_see_a_factor_of_all_weights(rows, factor):
    reward, propensity, target, _, _ = rows
    scaled = self_normalised(reward, propensity, target * factor)
    plain = self_normalised(reward, propensity, target)
    assert (scaled.value, scaled.effective_n) == pytest.approx((plain.value, plain.effective_n))


@given(ROWS)
@settings(deadline=None, max_examples=60)
def test_the_interval_holds_the_estimate_and_the_effective_sample_size_is_between_one_and_n(rows):
    for found in (inverse_propensity(*rows[:3]), self_normalised(*rows[:3]), doubly_robust(*rows)):
        assert found.low <= found.value + 1e-12
        assert found.high >= found.value - 1e-12
        assert 1 - 1e-9 <= found.effective_n <= found.n + 1e-9


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"propensity": [0.5, 0, 0.8]}, "propensity is 0 in row 1, and wrong in 1 of 3 rows; give a number above 0 up"),
        ({"propensity": [0.5, 0.5, 1.2]}, "propensity is 1.2 in row 2"),
        ({"propensity": [-0.5, -0.5, 1]}, "propensity is -0.5 in row 0, and wrong in 2 of 3 rows"),
        (
            {"propensity": [0.5, np.nan, 1]},
            "propensity is nan in row 1, and wrong in 1 of 3 rows; give a finite",
        ),
        ({"propensity": [0.5, 0.5]}, "propensity has the length 2, reward the length 3; give one number for each row"),
        ({"reward": []}, r"reward has the shape \(0,\); give one number"),
        ({"reward": [[1, 1, 0]]}, r"reward has the shape \(1, 3\); give one number"),
        ({"reward": [1, 5, 0]}, "reward is 5 in row 1, and wrong in 1 of 3 rows; give a number from 0 up to 1"),
        ({"reward": [1, np.inf, 0]}, "reward is inf in row 1"),
        ({"target": [0.5, 0.5, -1]}, "target is -1 in row 2"),
        ({"target": [0, 0, 0]}, "target is 0 in all rows: the log holds no item of this policy; use a log"),
        ({"estimated": [0, 0, np.nan]}, "estimated is nan in row 2"),
        ({"expected": [0, 0, 0, 0]}, "expected has the length 4, reward the length 3"),
        ({"shrinkage": 0}, "shrinkage is 0; give a number above 0"),
        ({"shrinkage": np.nan}, "shrinkage is nan; give a number above 0"),
    ],
)
def test_an_invalid_log_is_refused_in_one_line(changed, message):
    with pytest.raises(VsearchError, match=f"^{message}") as refused:
        shrunk_doubly_robust(**{**LOG, **MODEL, "shrinkage": 1, **changed})
    assert "\n" not in str(refused.value)


def test_a_limit_of_weights_that_is_not_above_0_is_refused():
    with pytest.raises(VsearchError, match="max_weight is 0; give a number above 0"):
        inverse_propensity(**LOG, max_weight=0)


def test_the_direct_method_refuses_a_model_without_rows():
    with pytest.raises(VsearchError, match="expected has the shape"):
        direct_method([])
