"""Checks of a small index that is written without Spark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsearch_lib.artefact.manifest import OperatingPoint
from vsearch_lib.config import load_settings
from vsearch_lib.measure.monitoring.check import Verdict
from vsearch_lib.measure.monitoring.published import balance_checks, live_recall_check, nearest_cosines
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store


@pytest.fixture(scope="module")
def chosen():
    return load_settings("demo", []).monitoring


@pytest.fixture(scope="module")
def opened(small_index, tmp_path_factory):
    """Return a function that opens the index at an operating point, and the index's catalogue."""
    uri = tmp_path_factory.mktemp("index")
    content = small_index.catalogue()
    manifest = small_index.build(uri, content)

    def open_at(nprobe: int, shortlist: int) -> Searcher:
        point = OperatingPoint(nprobe, shortlist)
        changed = {**vars(manifest), "search": point}
        return Searcher(open_store(str(uri)), type(manifest)(**changed), cache=Path("unused"))

    return open_at, content


def test_an_index_that_visits_all_lists_has_full_recall_on_live_queries(opened, chosen):
    open_at, content = opened
    check = live_recall_check(open_at(8, 10_000), content.ids[:50], chosen)
    assert check.verdict == Verdict.OK
    (figure,) = check.figures
    # Every seventh of these is private and every eleventh blocked: nobody else finds them.
    visible = sum(content.visibility[i] == "public" and content.moderation[i] == "ok" for i in range(50))
    assert (figure.metric, figure.value, figure.n) == ("live_recall_at_10", 1.0, visible)


def test_an_index_that_hardly_looks_is_an_alert(opened, chosen):
    open_at, content = opened
    check = live_recall_check(open_at(1, 1), content.ids, chosen)
    assert check.verdict == Verdict.ALERT
    assert check.figures[0].high < chosen.min_live_recall
    assert check.figures[0].n == chosen.live_queries


@pytest.mark.parametrize("asked", [[], ["nobody has it"], ["image-00003"]], ids=["none", "unknown", "private"])
def test_queries_that_are_not_in_the_index_are_no_data(opened, chosen, asked):
    assert live_recall_check(opened[0](8, 100), asked, chosen).verdict == Verdict.NO_DATA


def test_the_nearest_neighbour_is_another_row_and_unknown_images_have_none(opened):
    open_at, content = opened
    cosines = nearest_cosines(open_at(8, 10_000), ["image-00000", "nobody has it", "image-00001"])
    seen = [i for i in range(600) if content.visibility[i] == "public" and content.moderation[i] == "ok"]
    for place, row in ((0, 0), (2, 1)):
        others = [i for i in seen if i != row]
        assert cosines[place] == pytest.approx((content.vectors[others] @ content.vectors[row]).max(), abs=1e-3)
    assert np.isnan(cosines[1])


def test_equal_shards_are_balanced_and_the_limit_decides(opened, chosen):
    searcher = opened[0](8, 100)
    lists, shards = balance_checks(searcher, chosen)
    assert lists.verdict == shards.verdict == Verdict.OK
    assert shards.figures[0].value == pytest.approx(1.0)
    assert lists.figures[0].value == pytest.approx(searcher.imbalance)
    strict = chosen.model_copy(update={"max_list_imbalance": 1.0})
    assert balance_checks(searcher, strict)[0].verdict == Verdict.ALERT


def test_without_an_index_there_is_no_data(chosen):
    assert {check.verdict for check in balance_checks(None, chosen)} == {Verdict.NO_DATA}
    assert live_recall_check(None, ["a"], chosen).verdict == Verdict.NO_DATA
    assert np.isnan(nearest_cosines(None, ["a", "b"])).all()
