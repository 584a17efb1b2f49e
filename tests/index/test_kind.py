"""What a night builds, rule by rule, on both sides of each limit of the design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.manifest import Manifest, Measured, Measures, Shard
from vsearch_lib.index.kind import KindChoice, Target, choose_kind

SAME = Target(model="m1", factory="auto", shards=2)
NEW = Measured(rows=1000, imbalance=2.0, quantization_error=0.5)


@pytest.fixture(scope="session")
def served(small_index) -> Callable[..., Manifest]:
    """Make a version with 1,000 rows in its shards and what else `choose_kind` looks at."""
    file = StoredFile("aa-template.faiss", "aa", 0)

    def version(*, dead: int = 0, deltas: tuple[int, ...] = (), tombstones: int = 0, now=None, new=NEW) -> Manifest:
        return replace(
            small_index.manifest(file, file, [], version="v7", factory="IVF8,PQ8np"),
            shards=tuple(Shard("shard", 0, rows, file, file, file) for rows in (600, 400)),
            deltas=tuple(Shard("delta", 0, rows, file, file, file) for rows in deltas),
            tombstones=(file,) * tombstones,
            counts={"shards": 2, "dead": dead},
            measures=Measures(new, replace(new, **(now or {}))) if new else Measures(),
        )

    return version


def chosen(version, wanted=SAME, *, refused_template=None, compact=False) -> KindChoice:
    return choose_kind(version, wanted, refused_template=refused_template, compact=compact)


def test_the_first_version_is_full_even_if_a_compaction_is_asked_for():
    for compact in (False, True):
        assert chosen(None, compact=compact) == KindChoice("full", "nothing is published yet")


def test_without_another_reason_a_night_builds_a_delta_on_the_served_version(served):
    assert chosen(served()) == KindChoice("delta", "on v7")
    assert chosen(served(), Target("m1", "IVF8,PQ8np", 2)) == KindChoice("delta", "on v7")
    assert chosen(served(), refused_template="of another template") == KindChoice("delta", "on v7")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Target("m2", "auto", 2), "the model is m2, and m1 is served"),
        (Target("m1", "IVF16,PQ8np", 2), "index.factory is IVF16,PQ8np, and IVF8,PQ8np is served"),
        (Target("m1", "auto", 3), "index.shards is 3, and 2 are served"),
    ],
)
def test_another_model_factory_or_number_of_shards_makes_a_new_template(served, wanted, reason):
    for compact in (False, True):
        assert chosen(served(), wanted, compact=compact) == KindChoice("full", reason)


@pytest.mark.parametrize(
    ("measure", "limit", "over", "reason"),
    [
        ("rows", 4000, 4001, "rows is 4001, over 4 times the 1000 of the new template"),
        ("imbalance", 3.0, 3.01, "imbalance is 3.01, over 1.5 times the 2 of the new template"),
        ("quantization_error", 0.6, 0.61, "quantization_error is 0.61, over 1.2 times the 0.5 of the new template"),
    ],
)
def test_a_measure_over_its_limit_makes_a_new_template_and_one_at_its_limit_does_not(
    served, measure, limit, over, reason
):
    assert chosen(served(now={measure: limit})).kind == "delta"
    assert chosen(served(now={measure: over})) == KindChoice("full", reason)
    assert chosen(served(now={measure: over}), compact=True) == KindChoice("full", reason)


def test_without_measures_or_with_a_zero_error_the_template_is_kept(served):
    assert chosen(served(new=None)).kind == "delta"
    zero = Measured(rows=1000, imbalance=1.0, quantization_error=0.0)  # IVF1,Flat loses nothing
    assert chosen(served(new=zero, now={"quantization_error": 0.3})).kind == "delta"


def test_a_template_that_the_gate_refused_is_not_built_on_again(served):
    refused = KindChoice("full", "the gate refused what was built from the served template")
    assert chosen(served(), refused_template="aa") == refused
    assert chosen(served(), refused_template="aa", compact=True) == refused


def test_a_compaction_is_made_when_asked_for(served):
    assert chosen(served(), compact=True) == KindChoice("compacted", "asked for")


@pytest.mark.parametrize(
    ("limit", "over", "reason"),
    [
        ({"dead": 100}, {"dead": 101}, "10.1% of the rows are dead, over 10%"),
        ({"dead": 110, "deltas": (100,)}, {"dead": 165, "deltas": (100,)}, "15.0% of the rows are dead, over 10%"),
        # 333 of 1,333 are 24.98 %, 334 of 1,334 are 25.04 %
        ({"deltas": (133, 200)}, {"deltas": (134, 200)}, "25.0% of the rows are in deltas, over 25%"),
        ({"deltas": (1,) * 30}, {"deltas": (1,) * 31}, "31 deltas, over 30"),
        ({"tombstones": 30}, {"tombstones": 31}, "31 deltas, over 30"),
        ({"deltas": (1,) * 20, "tombstones": 30}, {"deltas": (1,) * 20, "tombstones": 40}, "40 deltas, over 30"),
    ],
)
def test_dead_rows_and_deltas_are_folded_in_over_their_limit_and_not_at_it(served, limit, over, reason):
    assert chosen(served(**limit)).kind == "delta"
    assert chosen(served(**over)) == KindChoice("compacted", reason)


@given(
    dead=st.integers(0, 1500),
    deltas=st.lists(st.integers(0, 400), max_size=40),
    tombstones=st.integers(0, 40),
    rows=st.integers(0, 9000),
    error=st.floats(0, 2),
)
def test_the_first_rule_that_applies_decides_the_kind(served, dead, deltas, tombstones, rows, error):
    """An unsuited template comes before fragmented rows: a rebuild folds them in too."""
    total = 1000 + sum(deltas)
    if rows > 4000 or error > 0.6:
        kind = "full"
    elif 10 * dead > total or 4 * sum(deltas) > total or max(len(deltas), tombstones) > 30:
        kind = "compacted"
    else:
        kind = "delta"
    version = served(
        dead=dead, deltas=tuple(deltas), tombstones=tombstones, now={"rows": rows, "quantization_error": error}
    )
    assert chosen(version).kind == kind
