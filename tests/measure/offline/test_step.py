"""`evaluate` measures a published index; another tool computes its figures again from the files beside the page."""

from __future__ import annotations

import io
import re
from pathlib import Path

import ir_measures
import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.support.reference_measures import named_measures
from vsearch_lib.measure.offline.step import evaluate
from vsearch_lib.measure.offline.tables import PUBLISHED

ALSO = ("evaluation.also=[exponential_gain, judged_only]", "evaluation.k=[1, 10]")


@pytest.fixture(scope="module")
def evaluated(published_judged):
    """The figures of the step, and the files that it wrote, by the end of their names."""
    context = published_judged(*ALSO)
    figures = evaluate(context)
    folder = Path(context.settings.reports.uri)
    (page,) = folder.glob("*.html")
    files = {file.name.removeprefix(page.stem): file for file in folder.glob(f"{page.stem}*")}
    return figures, files


@pytest.mark.parametrize(
    ("system", "slice_", "qrels", "run"),
    [
        (PUBLISHED, "all", "-qrels.gz", "-run-published-index.gz"),
        (PUBLISHED, "crop", "-qrels-crop.gz", "-run-published-index-crop.gz"),
        (PUBLISHED, "two objects", "-qrels-two-objects.gz", "-run-published-index-two-objects.gz"),
        ("model, exact search", "all", "-qrels.gz", "-run-model-exact-search.gz"),
        ("raw pixels (grey, 32 × 32)", "all", "-qrels.gz", "-run-raw-pixels-grey-32-32.gz"),
    ],
)
def test_ir_measures_computes_every_figure_again_from_the_exported_files(evaluated, system, slice_, qrels, run):
    figures, files = evaluated
    ours = {f.metric: f for f in figures if (f.subject, f.slice) == (system, slice_)}
    judged = list(ir_measures.read_trec_qrels(str(files[qrels])))
    found = list(ir_measures.read_trec_run(str(files[run])))
    for group in named_measures((1, 10)):
        theirs = ir_measures.calc_aggregate(group.values(), judged, found)
        for name, measure in group.items():
            assert ours[name].value == pytest.approx(theirs[measure], abs=1e-6), name
            assert ours[name].n == len({one.query_id for one in judged}) > 5
    assert ours["mrr"].value > 0.2


def test_the_value_of_each_query_is_kept_and_its_mean_is_the_figure(evaluated):
    figures, files = evaluated
    table = pq.read_table(io.BytesIO(files["-queries.parquet"].read_bytes())).to_pylist()
    for figure in figures:
        if figure.metric == "ndcg_at_10" and ": " not in figure.slice:
            of = [row["ndcg_at_10"] for row in table if (row["system"], row["slice"]) == (figure.subject, figure.slice)]
            assert figure.value == pytest.approx(np.mean(of))
            assert figure.n == len(of)


def test_slices_are_measured_and_small_ones_are_not(evaluated):
    figures, _ = evaluated
    sliced = {f.slice: f for f in figures if f.metric == "ndcg_at_10" and f.subject == PUBLISHED and ": " in f.slice}
    assert {"tag: tag-0", "tag: tag-1", "quality: blurred", "shorter side: below 256 px"} <= set(sliced)
    assert all(figure.n >= 5 for figure in sliced.values())
    assert {f.slice for f in figures if f.metric == "label_f1"} == {"tag: tag-0", "tag: tag-1"}


def test_numbers_on_the_page_are_those_of_the_figures(evaluated):
    figures, files = evaluated
    page = files[".html"].read_text()
    cells = set(re.findall(r"<td[^>]*>([^<]*)</td>", page))
    shown = [f for f in figures if f.metric in ("ndcg_at_10", "mrr", "map", "label_f1", "label_macro_f1")]
    assert len(shown) > 15
    for figure in shown:
        value = f"{figure.value:.3f}"
        assert any(cell == value or cell.startswith(f"{value} (") for cell in cells), figure


def test_many_judged_queries_are_sliced_by_spark_with_the_same_figures(published_judged, evaluated):
    (page,) = Path(published_judged().settings.reports.uri).glob("*.html")
    few = evaluate(published_judged("evaluation.max_queries=3", "evaluation.max_sliced_queries=1000"))

    def slices(figures):
        return {
            (f.metric, f.slice): (f.value, f.n, f.low, f.high)
            for f in figures
            if ": " in f.slice and f.metric[0] == "n"
        }

    found, expected = slices(few), slices(evaluated[0])
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key] == pytest.approx(values, abs=1e-6) or None in values
    assert next(f.value for f in few if f.metric == "judged_queries") <= 3
    assert page.exists()
