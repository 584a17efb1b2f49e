"""`vsearch index compare` prints and draws the difference of two operating points."""

from __future__ import annotations

from contextlib import nullcontext

import pyarrow.parquet as pq
import pytest

from vsearch_lib.cli.command_line import main
from vsearch_lib.spark import session


@pytest.fixture
def compare(spark, published_judged, capsys, monkeypatch):
    """Run the command on the published catalogue; return its exit code and the lines of both outputs."""
    monkeypatch.setattr(session, "spark_session", lambda *_: nullcontext(spark))
    chosen = (f"var={published_judged().settings.var}", "examples.test_share=0.5", "evaluation.min_slice_queries=5")

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        settings = [f"--set={setting}" for setting in (*chosen, "gate.min_compared_queries=5")]
        monkeypatch.setattr("sys.argv", ["vsearch", "index", "compare", *arguments, "--env=demo", *settings])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code), printed.out.splitlines(), printed.err.splitlines()

    return run


def test_two_operating_points_are_printed_drawn_and_kept_query_by_query(compare, tmp_path):
    page = tmp_path / "page.html"
    code, lines, errors = compare("served", "served:1,1", "--html", str(page))
    assert (code, errors) == (0, [])
    assert lines[0].split() == ["index", "ndcg_at_10", "mrr", "map"]
    assert lines[2].split()[0].endswith(":1,1")
    assert lines[3].startswith("judged, ")
    assert lines[4].split() == ["index", "recall_at_10"]
    text = page.read_text()
    assert lines[3] in text
    assert "tag: tag-0" in text
    rows = pq.read_table(tmp_path / "page.parquet").to_pylist()
    assert {row["slice"] for row in rows} == {"judged", "exact search"}
    assert len({row["system"] for row in rows}) == 2


def test_an_operating_point_that_is_none_is_one_line(compare):
    code, lines, errors = compare("served", "served:0,5")
    assert (code, lines) == (2, [])
    assert errors == ["vsearch: served:0,5: give a version, or VERSION:NPROBE,SHORTLIST as in served:8,200"]


def test_a_version_that_is_not_there_is_one_line(compare):
    code, _, errors = compare("served", "v0")
    assert (code, len(errors)) == (2, 1)
    assert "has no version v0" in errors[0]


def test_a_page_that_cannot_be_written_is_refused_before_the_work(compare, tmp_path):
    code, _, errors = compare("served", "served", "--html", str(tmp_path / "none" / "page.html"))
    assert (code, len(errors)) == (2, 1)
