"""`vsearch index tune` on a small published index: what it prints, the page it writes, what it publishes."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.small_model import SMALL
from vsearch_lib.artefact.pointer import current_manifest
from vsearch_lib.cli.command_line import vsearch_parser
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.errors import ArtefactError, GateRefused, UsageError
from vsearch_lib.index.step import build_index
from vsearch_lib.publishing.publication import publish
from vsearch_lib.publishing.step import publish_index
from vsearch_lib.spark import session
from vsearch_lib.storage import open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
VERSION = "20260301T000000Z-aaaaaaaa"


@pytest.fixture
def tune(tmp_path):
    """Run `vsearch index tune` by its command line, on the index in the folder of the test."""

    def call(*options: str) -> None:
        words = ["index", "tune", "--env", "demo", "--set", f"var={tmp_path}", "--set", "gate.queries=30", *options]
        arguments = vsearch_parser().parse_args(words)
        arguments.call(arguments)

    return call


@pytest.fixture
def index(small_index, tmp_path):
    """Publish a small index, and return its store."""

    def call(*, rows: int = 600, factory: str = "IVF8,PQ8x4np", **search: int):
        store = open_store(str(tmp_path / "index"))
        content = small_index.catalogue(rows=rows)
        publish(store, small_index.build(store.uri, content, version=VERSION, factory=factory, **search), now=NOW)
        return store

    return call


def pages(folder: Path) -> list[Path]:
    return sorted((folder / "reports").glob("*"))


def test_it_prints_both_tables_and_writes_a_page_with_them(index, tune, tmp_path, capsys):
    index(nprobe=5, shortlist=600)
    tune()
    printed = capsys.readouterr().out
    assert printed.startswith(f"{VERSION}: 467 visible images, 16 dimensions, IVF8,PQ8x4np; 30 of them")
    assert "cheapest that recalls 0.975: nprobe " in printed
    for family in ("exact", "LSH", "tree", "graph", "clustering"):
        assert f"  {family} " in printed
    (page,) = pages(tmp_path)
    assert page.name.startswith(f"tune-{VERSION}-")
    assert printed.endswith(f"page: {page}\n")
    html = page.read_text()
    assert html.count("<table>") == 2
    assert html.count("<svg") == 3
    assert "served" in html


def test_without_a_sample_other_kinds_are_left_out(index, tune, tmp_path, capsys):
    index()
    tune("--sample", "0")
    assert "Families" not in capsys.readouterr().out
    assert pages(tmp_path)[0].read_text().count("<table>") == 1


def test_few_vectors_are_tuned_without_other_kinds_and_a_line_says_so(index, tune, capsys):
    index(rows=300)
    tune()
    assert "\nother kinds of index are compared from 400 vectors on\n" in capsys.readouterr().out


def test_measuring_publishes_nothing(index, tune):
    store = index()
    before = current_manifest(store)
    tune("--sample", "0")
    assert current_manifest(store) == before


def test_the_cheapest_point_that_recalls_enough_is_adopted_and_measured_for_every_stratum(
    catalogue, draw, tune, monkeypatch, capsys
):
    """The command needs Spark for this: crops are cut out of pictures that only the lake can find."""
    monkeypatch.setattr(session, "spark_session", lambda *_: nullcontext(catalogue.spark))
    catalogue.land({f"image-{seed:02d}": draw(seed) for seed in range(40)})
    catalogue.embed()
    chosen = (f"var={catalogue.settings.var}", *SMALL, "gate.queries=20", "index.factory=IVF4,PQ8x4np")
    narrow = ("index.nprobe=1", "index.shortlist=1", "gate.min_recall_at_10=0")
    lake = catalogue.lake
    job = StepContext(load_settings("demo", [*chosen, *narrow]), lake, lake.run_id, say=lambda _: None)
    build_index(job)
    publish_index(job)
    store = open_store(job.settings.index.uri)
    before = current_manifest(store)

    options = [f"--set={setting}" for setting in (*chosen, "gate.min_recall_at_10=0.5")]
    tune(*options, "--sample=0", "--adopt", "--min-recall=0.99")
    printed = capsys.readouterr().out
    adopted = current_manifest(store)
    assert adopted.parent == before.version
    assert adopted.gate.strata["whole"].rescored[10].mean >= 0.99
    queries = {name: stratum.queries for name, stratum in adopted.gate.strata.items()}
    assert queries == {"whole": 20, "new": 20, "crop": 20}
    point = adopted.search
    assert f"nprobe {point.nprobe}, shortlist {point.shortlist} (recall@10" in printed
    assert printed.endswith(f"{adopted.version} is served from {store.uri}\n")
    listed = [json.loads(store.read(key))["version"] for key in store.list("manifests")]
    assert listed == [before.version, adopted.version]


def test_if_no_point_recalls_enough_the_nearest_is_printed_and_none_is_adopted(index, tune, tmp_path, capsys):
    """With one bit a vector, the 800 best of 3,000 rows by their codes lack some of the ten nearest."""
    store = index(rows=3000, factory="IVF1,PQ1x1np", nprobe=1, shortlist=50)
    with pytest.raises(GateRefused, match=f"no operating point of {VERSION} recalls 1; it is still served as it is"):
        tune("--sample", "0", "--adopt", "--min-recall", "1")
    assert "no point recalls 1; nearest to it: nprobe 1, shortlist 800" in capsys.readouterr().out
    assert len(pages(tmp_path)) == 1
    assert current_manifest(store).version == VERSION


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--min-recall", "1.5"], "--min-recall 1.5"),
        (["--min-recall", "0"], "--min-recall 0"),
        (["--sample", "-1"], "--sample -1"),
        (["--adopt", "--set", "index.nprobe=8"], "--adopt: .*index.nprobe"),
        (["--adopt", "--set", "index.shortlist=8"], "--adopt: .*index.shortlist"),
    ],
)
def test_options_out_of_range_are_refused_before_anything_is_measured(tune, tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        tune(*options)
    assert pages(tmp_path) == []


def test_without_a_published_index_the_error_says_what_to_run(tune):
    with pytest.raises(ArtefactError, match="run vsearch run nightly"):
        tune()
