"""`vsearch models show` and `compare` say what is known of models, and an unknown model is one line."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import simplejpeg
import torch

from tests.support.photo_catalogue import Catalogue
from tests.support.small_model import SMALL, small_graph
from vsearch_lib.cli.command_line import main
from vsearch_lib.config import load_settings
from vsearch_lib.encoder.network import untrained
from vsearch_lib.figures import Figure
from vsearch_lib.lake.metrics import record
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.spark import session

CURVE = {"recall_at_start": 0.4, "epochs": [{"loss": 2.5, "recall": 0.5}, {"loss": 1.5, "recall": 0.625}]}


@pytest.fixture
def vsearch(spark, settings, capsys, monkeypatch):
    """Run `vsearch models …` in the session of the tests; return its exit code and the lines of both outputs."""
    monkeypatch.setattr(session, "spark_session", lambda *_: nullcontext(spark))

    def run(command: str, *arguments: str) -> tuple[int, list[str], list[str]]:
        chosen = [f"--set={setting}" for setting in (f"var={settings.var}", *SMALL, "examples.test_share=0.9")]
        monkeypatch.setattr("sys.argv", ["vsearch", "models", command, "--env=demo", *chosen, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code), printed.out.splitlines(), printed.err.splitlines()

    return run


def put(settings, version: str, *, dimension: int = 32, ruined: bool = False, **facts: object) -> None:
    """Register a model; a ruined one maps every picture onto one line."""
    recipe = replace(recipe_of(settings), dimension=dimension)
    encoder = untrained(recipe.backbone, dimension=dimension, seed=1)
    if ruined:
        with torch.no_grad():
            encoder.projection.axes[1:] = 0
    uri = settings.models.uri
    register(uri, encoder, version=version, recipe=recipe, run_id="run", graph=small_graph(seed=1), **facts)


def test_a_record_has_the_facts_the_curve_and_the_newest_figures(settings, lake, vsearch):
    put(settings, "m1")
    put(settings, "m2", training_snapshot="s1", parent="m1", training={"epochs": 2, "curve": CURVE})
    old, new = (Figure("ndcg_at_10", value, subject="model m2", n=40) for value in (0.7, 0.8))
    record(lake, [old, Figure("ndcg_at_10_gain", 0.02, subject="model m2 over m1", n=40, low=0.01, high=0.03)])
    record(type(lake)(lake.spark, lake.uri, "run-2"), [new, Figure("ndcg_at_10", 0.6, subject="model m1", n=40)])
    code, lines, errors = vsearch("show", "m2")
    assert (code, errors) == (0, [])
    words = [line.split() for line in lines]
    for expected in (
        ["parent", "m1"],
        ["snapshot", "s1"],
        ["backbone", "small"],
        ["epochs", "2"],
        ["ndcg_at_10", "0.8", "40"],
        ["ndcg_at_10_gain", "over", "m1", "0.02", "0.010", "to", "0.030", "40"],
        ["0.400", "│▁▁▁██████"],
    ):
        assert expected in words
    assert not {"0.7", "0.6"} & {word for line in words for word in line}
    assert any(line.startswith("model.safetensors") and len(line.split()[1]) == 64 for line in lines)
    assert lines[-1].split() == ["0", "2", "epoch"]


def test_the_page_of_a_record_has_both_curves(settings, lake, vsearch, tmp_path):
    put(settings, "m2", training={"epochs": 2, "curve": CURVE})
    page = tmp_path / "m2.html"
    code, lines, _ = vsearch("show", "m2", "--html", str(page))
    assert (code, lines[-1]) == (0, f"page: {page}")
    html = page.read_text()
    assert html.count("<polyline") == 2
    assert "Model m2</h1>" in html
    assert "No figure of this model" in html
    assert "http" not in html


def test_a_page_that_cannot_be_written_is_refused_before_anything_is_read(settings, vsearch, tmp_path):
    put(settings, "m2")
    code, lines, (error,) = vsearch("show", "m2", "--html", str(tmp_path / "none" / "m2.html"))
    assert (code, lines) == (2, [])
    assert error.startswith("vsearch: --html ")


@pytest.mark.parametrize("command", [["show", "m7"], ["compare", "m1", "m7"], ["compare", "m7", "m1"]])
def test_an_unknown_model_is_an_error_that_lists_the_known_ones(settings, vsearch, command):
    put(settings, "m1")
    put(settings, "m2")
    assert vsearch(*command) == (2, [], [f"vsearch: {settings.models.uri} has no model m7; it has m2, m1"])


def view(scene: int, number: int) -> bytes:
    """One of several pictures of a scene: the same blocks, a little darker each time."""
    grain = np.random.default_rng(scene).integers(60, 250, (5, 6, 3))
    pixels = np.kron(grain - 5 * number, np.ones((8, 8, 1), dtype=int)).astype(np.uint8)
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=95, colorspace="RGB"))


@pytest.fixture(scope="module")
def scenes(spark, tmp_path_factory) -> Catalogue:
    """Pictures of four scenes, those of each judged alike, and two models; tests only read it."""
    catalogue = Catalogue(spark, load_settings("demo", [f"var={tmp_path_factory.mktemp('scenes')}", *SMALL]))
    names = [(scene, f"image-{scene}-{number}") for scene in range(4) for number in range(4)]
    catalogue.land({name: view(scene, int(name[-1])) for scene, name in names})
    day = date(2024, 5, 6)
    pairs = [(a, b, "ann", 5, day) for scene, a in names for other, b in names if scene == other and a != b]
    columns = "query_image_id string, image_id string, annotator string, score int, landed_on date"
    catalogue.lake.upsert("judgements", catalogue.spark.createDataFrame(pairs, columns))
    put(catalogue.settings, "other")
    put(catalogue.settings, "ruined", dimension=16, ruined=True)
    return catalogue


@pytest.fixture
def judged(scenes, vsearch):
    """A function that compares two models of the scenes."""

    def compare(a: str, b: str, needed: int = 5) -> list[str]:
        code, lines, errors = vsearch(
            "compare", a, b, f"--set=gate.min_compared_queries={needed}", f"--set=var={scenes.settings.var}"
        )
        assert (code, errors) == (0, [])
        return lines

    return compare


def test_two_models_of_other_recipes_are_compared_on_the_same_queries(judged):
    heading, good, bad, difference = judged("other", "ruined")
    assert heading.split() == ["model", "ndcg_at_10", "mrr", "map"]
    assert (good.split()[0], bad.split()[0]) == ("other", "ruined")
    gain = float(good.split()[1]) - float(bad.split()[1])
    assert gain > 0.1
    assert difference.startswith("judged, ")
    assert float(difference.split("difference of ")[1].split()[0]) == pytest.approx(gain, abs=0.0011)
    assert difference.endswith(": better")
    assert judged("ruined", "other")[-1].endswith(": worse")


def test_a_page_shows_the_queries_that_moved_most_and_a_file_keeps_each_query(scenes, vsearch, tmp_path):
    page = tmp_path / "page.html"
    chosen = ("--set=gate.min_compared_queries=5", f"--set=var={scenes.settings.var}")
    _, lines, errors = vsearch("compare", "ruined", "other", *chosen, f"--html={page}")
    assert errors == []
    assert lines[-1] == f"page: {page}; figures of each query: {tmp_path / 'page.parquet'}"
    text = page.read_text()
    assert lines[-2] in text
    assert text.count("data:image/jpeg") > 10
    assert "ruined: ndcg_at_10" in text
    rows = pq.read_table(tmp_path / "page.parquet").to_pylist()
    mean = np.mean([row["ndcg_at_10"] for row in rows if row["system"] == "ruined"])
    assert f"{mean:.3f}" in lines[1].split()


def test_equal_models_show_no_difference(judged):
    assert judged("other", "other")[-1].endswith(": no difference that can be told")


def test_models_that_cannot_be_compared_say_why(catalogue, jpegs, vsearch):
    catalogue.land(jpegs)
    put(catalogue.settings, "other")
    code, lines, errors = vsearch("compare", "m1", "other")
    assert (code, errors) == (0, [])
    (line,) = lines
    assert line.startswith("m1 and other cannot be compared: 0 judged and 0 clicked queries of the test split are")


def test_nothing_is_written_by_a_comparison(judged, scenes):
    before = sorted(Path(scenes.settings.var).rglob("*"))
    judged("other", "ruined")
    assert [file for file in sorted(Path(scenes.settings.var).rglob("*")) if file not in before] == []
