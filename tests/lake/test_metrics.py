"""`metrics` stores each figure as a step returned it, once for each run."""

from dataclasses import replace

import pytest

from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.lake.metrics import figures_of_newest_runs, newest_figures, record, recorded_history

FIELDS = ("metric", "subject", "slice", "n", "value", "low", "high")


def recorded(lake: Lake) -> set[Figure]:
    rows = lake.read("metrics").select(*FIELDS).collect()
    figures = [Figure(**row.asDict()) for row in rows]
    assert len(figures) == len(set(figures))
    return set(figures)


def test_figures_read_from_the_table_equal_the_recorded_ones(lake):
    figures = {
        Figure("rows", 3),
        Figure("recall_at_10", 0.97, subject="index 2024-05-06", slice="new", n=200, low=0.95, high=0.99),
        Figure("mrr", 1 / 3, subject="raw pixels (grey, 32 × 32)", n=2**40),
        Figure("tag_share", 5e-324, slice='it\'s "é"\n[a,b]', n=0),
        Figure("energy_distance", -0.01, subject="uploads", slice="by chance", low=-1.0, high=0.0),
    }
    record(lake, list(figures))
    assert recorded(lake) == figures


@pytest.mark.parametrize("figure", [Figure("rows", 3), Figure("rows", 3, n=1, low=2.0, high=4.0)])
def test_figures_that_all_lack_a_field_or_all_have_it_can_be_recorded(lake, figure):
    record(lake, [figure])
    assert recorded(lake) == {figure}


def test_a_figure_that_a_run_records_again_replaces_the_first(lake):
    record(lake, [Figure("rows", 3, n=7, low=2, high=4), Figure("rows", 4, slice="a slice")])
    record(lake, [Figure("rows", 5)])
    assert recorded(lake) == {Figure("rows", 5), Figure("rows", 4, slice="a slice")}


def test_the_last_of_several_figures_with_the_same_key_is_recorded(lake):
    figure = Figure("index_rows", 3, subject="index v1")
    record(lake, [figure, replace(figure, value=5)])
    record(lake, [figure, replace(figure, value=4)])
    assert recorded(lake) == {replace(figure, value=4)}


def test_two_subjects_may_have_the_same_slice_and_two_slices_the_same_subject(lake):
    figures = [
        Figure("recall_at_10", value, subject=subject, slice=slice_)
        for value, subject, slice_ in ((0.1, "index a", "new"), (0.2, "index b", "new"), (0.3, "index a", "crop"))
    ]
    record(lake, figures)
    assert recorded(lake) == set(figures)
    again = replace(figures[1], value=0.5)
    record(lake, [again])
    assert recorded(lake) == {figures[0], again, figures[2]}


def test_two_runs_keep_their_own_figures(spark, lake):
    record(lake, [Figure("rows", 3)])
    record(Lake(spark, lake.uri, "run-2"), [Figure("rows", 4)])
    rows = lake.read("metrics").select("run", "value").collect()
    assert sorted(map(tuple, rows)) == [("run-1", 3.0), ("run-2", 4.0)]


def test_recording_no_figures_makes_no_table(lake):
    record(lake, [])
    assert not lake.exists("metrics")


def test_the_newest_figure_of_each_metric_and_slice_of_a_subject_is_found(spark, lake):
    gain = Figure("ndcg_at_10_gain", 0.02, subject="model m2 over m1", n=40, low=0.01, high=0.03)
    loss = Figure("training_loss", 3.0, subject="model m2", slice="first")
    others = [Figure("map", 0.1, subject=subject) for subject in ("model m22", "model m1 over m2", "index m2", "all")]
    record(lake, [loss, Figure("map", 0.5, subject="model m2"), gain, *others])
    newer = Figure("map", 0.6, subject="model m2", n=7)
    record(Lake(spark, lake.uri, "run-0"), [newer])
    assert newest_figures(lake, "model m2") == [newer, gain, loss]
    assert newest_figures(lake, "model m3") == []


def test_before_any_figure_is_recorded_none_is_found(lake):
    assert newest_figures(lake, "model m2") == []


def test_of_each_metric_and_kind_of_subject_the_figures_of_the_newest_run_are_found(spark, lake):
    first, second = "index 20261101T000000Z-0123abcd", "index 20261102T000000Z-0123abcd"
    record(
        Lake(spark, lake.uri, "night-1"),
        [
            Figure("recall_at_10", 0.5, subject=first),
            Figure("recall_at_10", 0.6, subject=first, slice="gone"),
            Figure("recall_at_10", 0.4, subject="model A"),
            Figure("robots", 2),
        ],
    )
    record(Lake(spark, lake.uri, "night-2"), [Figure("recall_at_10", 0.7, subject=second)])
    found = figures_of_newest_runs(lake)
    assert [(r.figure, r.kind, r.run) for r in found] == [
        (Figure("recall_at_10", 0.7, subject=second), "index", "night-2"),
        (Figure("recall_at_10", 0.4, subject="model A"), "model A", "night-1"),
        (Figure("robots", 2), "all", "night-1"),
    ]
    history = recorded_history(lake, ["recall_at_10"], limit=9)
    assert [(r.kind, r.figure.slice, r.figure.value) for r in history] == [
        ("index", "all", 0.5),
        ("index", "all", 0.7),
        ("index", "gone", 0.6),
        ("model A", "all", 0.4),
    ]
    newest = recorded_history(lake, ["recall_at_10"], limit=1)
    assert [r.figure.value for r in newest] == [0.7, 0.6, 0.4]
