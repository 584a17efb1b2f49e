"""The trace of a step is one line of words, and each word has one meaning."""

import json
import shlex
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.run.trace import TRACE_FILE, Trace

AWKWARD = ["all", "a", "b", "a,b", "a][b", '"a","b"', "a b", "a=b", "", "é × ü", '\\"', "a\nb"]
name = st.sampled_from(AWKWARD) | st.text()
figures = st.builds(lambda subject, part: Figure("m", 1, subject=subject, slice=part), name, name)


def trace(settings, recorded: list[Figure], alerts: Sequence[str] = ()) -> Trace:
    class LakeWithoutSession(Lake):
        def __init__(self) -> None:  # a trace needs only the versions of the tables
            self.versions_read, self.versions_written = {}, {}

    context = StepContext(settings, LakeWithoutSession(), "run-1", None, alerts=list(alerts))
    return Trace.of(context, "evaluate", recorded, seconds=1.5)


def test_a_line_names_each_figure_by_its_subject_and_slice(settings):
    recorded = [
        Figure("images_accepted", 60),
        Figure("images_passed_over", 2, slice="video"),
        Figure("recall_at_10", 0.975, subject="index 2024-05-06", slice="new"),
        Figure("files_before", 3, subject="metrics"),
        Figure("ndcg_at_10", 0.5, subject="raw pixels (grey, 32 × 32)"),
    ]
    assert trace(settings, recorded).line() == (
        "step=evaluate run=run-1 partition=all seconds=1.5 images_accepted[all]=60 images_passed_over[video]=2 "
        'recall_at_10["index 2024-05-06",new]=0.975 files_before[metrics,all]=3 '
        'ndcg_at_10["raw pixels (grey, 32 × 32)",all]=0.5'
    )


def test_the_file_names_each_figure_as_the_line_does(settings, tmp_path, monkeypatch):
    monkeypatch.setenv(TRACE_FILE, str(tmp_path / "trace.json"))
    trace(settings, [Figure("rows", 3), Figure("rows", 4, subject="index 1", slice="new")]).write()
    assert json.loads((tmp_path / "trace.json").read_text())["figures"] == {"rows[all]": 3, 'rows["index 1",new]': 4}


def test_alerts_are_in_the_file_and_not_in_the_line(settings, tmp_path, monkeypatch):
    monkeypatch.setenv(TRACE_FILE, str(tmp_path / "trace.json"))
    found = trace(settings, [], alerts=["newest day: data is missing"])
    found.write()
    assert json.loads((tmp_path / "trace.json").read_text())["alerts"] == ["newest day: data is missing"]
    assert "missing" not in found.line()


@given(figures, figures)
def test_two_figures_have_the_same_name_only_if_they_are_equal(one, other):
    assert (len(names_of(one, other)) == 1) == (one == other)


@given(figures)
def test_a_name_is_one_word_of_one_line(figure):
    (word,) = names_of(figure)
    assert "\n" not in word
    assert len(shlex.split(word.replace("'", ""))) == 1


def names_of(*recorded: Figure) -> set[str]:
    return set(trace(None, list(recorded)).figures)
