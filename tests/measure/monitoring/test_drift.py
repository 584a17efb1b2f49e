"""Drift checks: they name what changed, alert seldom if nothing has, and do not hide that data is lacking."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from vsearch_lib.measure.monitoring.check import Verdict
from vsearch_lib.measure.monitoring.drift import Sample, drift_checks

NEW, EARLIER, RATE = 60, 180, 0.05
KINDS = np.array(["dress", "hat", "shoes", "skirt", "shirt"])


def night(seed: int) -> Sample:
    """A night without a shift: pictures of five kinds, whose vectors lie around their kind's."""
    rng = np.random.default_rng(seed)
    rows = NEW + EARLIER
    kinds = rng.integers(0, 5, rows)
    vectors = (np.eye(5, 16)[kinds] + 0.2 * rng.normal(size=(rows, 16))).astype(np.float32)
    return Sample(
        np.arange(rows) < NEW,
        [str(row) for row in range(rows)],
        numbers={"brightness": rng.normal(120, 40, rows)},
        words={"tags": [[KINDS[kind]] for kind in kinds]},
        vectors={"vectors": vectors / np.linalg.norm(vectors, axis=1, keepdims=True)},
    )


def checked(sample: Sample, seed: int = 7, permutations: int = 199):
    checks = drift_checks({"uploads": sample}, false_alarm_rate=RATE, permutations=permutations, seed=seed)
    return {check.name.removeprefix("drift of uploads: "): check for check in checks}


def alerted(sample: Sample, seed: int = 7) -> set[str]:
    return {name for name, check in checked(sample, seed).items() if check.verdict == Verdict.ALERT}


def test_nights_without_a_shift_alert_at_most_at_the_stated_rate():
    alarms = sum(bool(alerted(night(seed), seed)) for seed in range(120))
    # More than 11 of 120 have a chance below 1 % at the stated rate.
    assert alarms <= 11
    assert binomtest(alarms, 120).proportion_ci(confidence_level=0.99).low <= RATE


def darker(sample: Sample) -> Sample:
    brightness = sample.numbers["brightness"].copy()
    brightness[: NEW // 2] *= 0.3
    return replace(sample, numbers={"brightness": brightness})


def more_dresses(sample: Sample) -> Sample:
    tags = list(sample.words["tags"])
    tags[: NEW // 2] = [["dress"]] * (NEW // 2)
    return replace(sample, words={"tags": tags})


def other_encoder(sample: Sample) -> Sample:
    """The same pictures, embedded with other axes."""
    vectors = sample.vectors["vectors"].copy()
    vectors[:NEW] = vectors[:NEW, ::-1]
    return replace(sample, vectors={"vectors": vectors})


@pytest.mark.parametrize(
    ("shift", "changed"), [(darker, "brightness"), (more_dresses, "tags"), (other_encoder, "vectors")]
)
def test_a_shift_is_named_on_19_of_20_nights(shift, changed):
    assert sum(changed in alerted(shift(night(seed)), seed) for seed in range(20)) >= 19


def test_what_was_seen_is_in_words():
    check = checked(more_dresses(night(3)))["tags"]
    new, before = (
        np.mean([tags == ["dress"] for tags in part])
        for part in (more_dresses(night(3)).words["tags"][:NEW], night(3).words["tags"][NEW:])
    )
    assert check.seen.startswith(f"dress {new:.1%}, {before:.1%} before (p 0.0")
    distance, p = check.figures
    assert (distance.metric, distance.n) == ("drift_distance", NEW + EARLIER)
    assert distance.value == pytest.approx(new - before, abs=1e-6)
    # The smallest p-value that 199 permutations can give, times three tests.
    assert p.value == pytest.approx(3 / 200)


def test_the_verdict_is_the_same_each_time():
    assert checked(night(5)) == checked(night(5))


def test_rows_without_a_value_do_not_count():
    sample = night(4)
    brightness = sample.numbers["brightness"].copy()
    brightness[::2] = np.nan
    check = checked(replace(sample, numbers={"brightness": brightness}))["brightness"]
    assert check.figures[0].n == (NEW + EARLIER) // 2
    assert check.verdict == Verdict.OK


def test_too_few_units_are_no_data_and_not_a_silent_ok():
    sample = night(6)
    units = ["ann monday" if row < NEW else "ann sunday" for row in range(NEW + EARLIER)]
    for check in checked(replace(sample, units=units)).values():
        assert check.verdict == Verdict.NO_DATA
        assert "60 new rows of 1 owners or days, 180 earlier ones of 1" in check.seen


def test_a_property_that_no_row_has_is_no_data_and_others_are_tested():
    sample = night(8)
    checks = checked(replace(sample, numbers={"brightness": np.full(NEW + EARLIER, np.nan)}))
    assert checks["brightness"].verdict == Verdict.NO_DATA
    assert checks["tags"].verdict == Verdict.OK


def test_rows_without_any_word_are_alike():
    check = checked(replace(night(9), words={"tags": [[]] * (NEW + EARLIER)}))["tags"]
    assert (check.verdict, check.seen) == (Verdict.OK, "no row has any (p 1.000)")
