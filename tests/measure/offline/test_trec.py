"""Another tool computes the figures again from the exported files."""

from __future__ import annotations

import gzip

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from vsearch_lib.measure.offline import trec
from vsearch_lib.measure.offline.formulas import Measures
from vsearch_lib.measure.offline.ranking import measured

ids = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=4)


@settings(deadline=None, max_examples=30)
@given(images=st.lists(ids, min_size=1, max_size=8, unique=True), data=st.data())
def test_the_figures_of_a_report_are_computed_again_by_ir_measures(images, data, tmp_path_factory):
    graded = st.dictionaries(st.sampled_from(images), st.integers(0, 5), min_size=1)
    judgements = data.draw(st.dictionaries(ids, graded, min_size=1, max_size=3))
    rankings = {query: data.draw(st.permutations(images)) for query in judgements}
    folder = tmp_path_factory.mktemp("trec")
    (folder / "qrels.gz").write_bytes(trec.qrels(judgements))
    (folder / "run.gz").write_bytes(trec.run(rankings, "published index"))
    wanted = {
        "mrr": RR(rel=3),
        "map": AP(rel=3),
        "precision_at_10": P(rel=3) @ 10,
        "judged_recall_at_10": R(rel=3) @ 10,
        "hit_rate_at_10": Success(rel=3) @ 10,
        "ndcg_at_10": nDCG @ 10,
    }
    qrels = list(ir_measures.read_trec_qrels(str(folder / "qrels.gz")))
    run = list(ir_measures.read_trec_run(str(folder / "run.gz")))
    theirs = ir_measures.calc_aggregate(wanted.values(), qrels, run)
    ours = measured(judgements, rankings, Measures()).of_each
    for name, measure in wanted.items():
        assert np.mean(ours[name]) == pytest.approx(theirs[measure], abs=1e-6), name


def test_ids_with_spaces_are_encoded_as_in_a_url():
    content = trec.run({"a b": ["my photos/1 %.jpg", "c"]}, "published index")
    assert gzip.decompress(content).decode().splitlines() == [
        "a%20b Q0 my%20photos/1%20%25.jpg 1 1 published%20index",
        "a%20b Q0 c 2 0 published%20index",
    ]


def test_the_same_rankings_make_the_same_bytes():
    assert trec.qrels({"q": {"a": 5}}) == trec.qrels({"q": {"a": 5}})
