"""Drift: which properties of new rows differ from those of earlier rows by more than chance gives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vsearch_lib.figures import Figure
from vsearch_lib.measure.monitoring.check import Check, Verdict, no_data
from vsearch_lib.measure.monitoring.distances import energy_distances, largest_gaps, share_changes
from vsearch_lib.measure.monitoring.permutation import Divisions, Marks, Values, can_be_tested, holm, p_value
from vsearch_lib.vectors import Vectors

_MAX_WORDS = 50  # the most frequent ones


@dataclass(frozen=True)
class Sample:
    """Rows of one kind, some of them new.

    Attributes:
        is_new: (n).
        units: (n), the names of what is permuted together; see `permutation`.
        numbers: property → (n), NaN where a row has none.
        words: property → the words of each row, such as its tags.
        vectors: property → (n, d) unit vectors, NaN where a row has none.
    """

    is_new: Marks
    units: Sequence[str]
    numbers: Mapping[str, Values] = field(default_factory=dict)
    words: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    vectors: Mapping[str, Vectors] = field(default_factory=dict)


@dataclass(frozen=True)
class Test:
    """A two-sample test of one property: its p-value before any correction, and the distance as text."""

    name: str
    p: float
    distance: float
    seen: str
    rows: int


def drift_checks(
    samples: Mapping[str, Sample], *, false_alarm_rate: float, permutations: int, seed: int
) -> list[Check]:
    """Return a check of each property of each sample; `samples` has the kind of the rows as keys.

    If nothing has changed, one or more of the checks alert in at most a share `false_alarm_rate` of the runs.
    """
    tests: list[Test | Check] = []
    for kind, sample in samples.items():
        tests += _tests(kind, sample, permutations, seed)
    tested = [test for test in tests if isinstance(test, Test)]
    adjusted = dict(zip((test.name for test in tested), holm([test.p for test in tested]), strict=True))
    return [_check(test, adjusted[test.name], false_alarm_rate) if isinstance(test, Test) else test for test in tests]


def _tests(kind: str, sample: Sample, permutations: int, seed: int) -> Iterator[Test | Check]:
    known: dict[str, Marks] = {
        **{name: ~np.isnan(values) for name, values in sample.numbers.items()},
        **{name: np.ones(len(rows), dtype=bool) for name, rows in sample.words.items()},
        **{name: ~np.isnan(rows).any(axis=1) for name, rows in sample.vectors.items()},
    }
    divisions: Divisions | None = None
    for name, rows in known.items():
        label = f"drift of {kind}: {name}"
        is_new, units = sample.is_new[rows], np.asarray(sample.units)[rows].tolist()
        if not can_be_tested(is_new, units, permutations=permutations):
            yield no_data(label, _too_few(is_new, units))
            continue
        if divisions is None:
            divisions = Divisions(sample.is_new, sample.units, permutations=permutations, seed=seed)
        part = divisions if rows.all() else divisions.of(rows)
        if name in sample.numbers:
            yield _numbers(label, sample.numbers[name][rows], part)
        elif name in sample.words:
            yield _words(label, sample.words[name], part)
        else:
            distances = energy_distances(sample.vectors[name][rows], part)
            yield Test(
                label, p_value(distances), float(distances[0]), f"energy distance {distances[0]:.4f}", len(units)
            )


def _numbers(label: str, values: Values, divisions: Divisions) -> Test:
    gaps = largest_gaps(values, divisions)
    is_new = divisions.new[0] == 1
    new, earlier = np.median(values[is_new]), np.median(values[~is_new])
    return Test(label, p_value(gaps), float(gaps[0]), f"median {new:.4g}, {earlier:.4g} before", len(values))


def _words(label: str, rows: Sequence[Sequence[str]], divisions: Divisions) -> Test:
    """Test all words together, by the one whose share changed most, in standard errors."""
    counts: dict[str, int] = {}
    for row in rows:
        for word in set(row):
            counts[word] = counts.get(word, 0) + 1
    words = sorted(counts, key=lambda word: (-counts[word], word))[:_MAX_WORDS]
    if not words:
        return Test(label, 1.0, 0.0, "no row has any", len(rows))
    occurs = np.array([[word in row for word in words] for row in map(set, rows)])
    changes, standard = share_changes(occurs, divisions)
    most = int(np.abs(standard[0]).argmax())
    share = occurs[divisions.new[0] == 1, most].mean()
    seen = f"{words[most]} {share:.1%}, {share - changes[0, most]:.1%} before"
    return Test(label, p_value(np.abs(standard).max(axis=1)), float(abs(changes[0, most])), seen, len(rows))


def _check(test: Test, adjusted: float, false_alarm_rate: float) -> Check:
    figures = (
        Figure("drift_distance", test.distance, subject=test.name, n=test.rows),
        Figure("drift_p_value", adjusted, subject=test.name, n=test.rows),
    )
    verdict = Verdict.ALERT if adjusted <= false_alarm_rate else Verdict.OK
    return Check(test.name, verdict, f"{test.seen} (p {adjusted:.3f})", figures)


def _too_few(is_new: Marks, units: Sequence[str]) -> str:
    names = np.asarray(units)
    new, earlier = (len(np.unique(names[side])) for side in (is_new, ~is_new))
    return (
        f"too few to test: {is_new.sum()} new rows of {new} owners or days, {(~is_new).sum()} earlier ones of {earlier}"
    )
