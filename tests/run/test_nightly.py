"""The whole pipeline, by the commands that users type: from a landed catalogue to a published index."""

import json
import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tests.support.small_model import SMALL
from vsearch_lib.cli.command_line import vsearch_parser
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.demo import write_catalogue
from vsearch_lib.lake import Lake
from vsearch_lib.run import runner
from vsearch_lib.run.bodies import body_of
from vsearch_lib.run.exit_codes import exit_code
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.spark import session
from vsearch_lib.steps import GRAPHS, in_order

NO_CACHE = Path("unused")  # files of a local folder are opened in place

CHATTER = ("WARN", "Warning", "Traceback", "ivy", "Ivy", ":: ", "SLF4J", "log4j")
# So few images give few steps an epoch: with fewer epochs, all vectors would be equal up to rounding.
SETTINGS = (*SMALL, "training.epochs=8", "training.batch_size=16", "examples.candidates=2", "gate.queries=50")


@dataclass(frozen=True)
class Workspace:
    """A catalogue, and the command line that works on it."""

    var: Path

    def command(self, *arguments: str) -> list[str]:
        overrides = [f"--set={s}" for s in (f"var={self.var}", *SETTINGS)]
        return [sys.executable, "-m", "vsearch_lib.cli", *arguments, "--env", "demo", *overrides]

    def vsearch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments)
        return subprocess.run(command, capture_output=True, text=True, timeout=1200)

    def output_of(self, done: subprocess.CompletedProcess[str]) -> str:
        """All output of a command: if Java crashes, that is in its output and in Spark's log."""
        log = self.var / "logs" / "spark.log"
        return "\n".join([done.stderr, done.stdout[-2000:], log.read_text()[-4000:] if log.exists() else "no log"])

    def night(self, spark, run_id: str, *settings: str, dates=None) -> None:
        """Run the nightly steps in the suite's session, without what a command adds: other tests cover that."""
        chosen = load_settings("demo", [f"var={self.var}", *SETTINGS, *settings])
        lake = Lake(spark, chosen.lake.uri, run_id)
        job = StepContext(settings=chosen, lake=lake, run_id=run_id, dates=dates, say=lambda _: None)
        for step in in_order(GRAPHS["nightly"]):
            body_of(step.name)(job)

    def step(self, spark, name: str, run_id: str, *, dates) -> None:
        """Run one step in the suite's session."""
        chosen = load_settings("demo", [f"var={self.var}", *SETTINGS])
        lake = Lake(spark, chosen.lake.uri, run_id)
        body_of(name)(StepContext(settings=chosen, lake=lake, run_id=run_id, dates=dates, say=lambda _: None))

    @property
    def pointer(self) -> bytes:
        return (self.var / "index" / "CURRENT").read_bytes()

    def versions(self, lake: Lake) -> dict[str, int | None]:
        tables = sorted(folder.name for folder in (self.var / "lake").iterdir())
        return {table: lake.version(table) for table in tables if table != "metrics"}

    def a_picture(self) -> Path:
        return next((self.var / "landing" / "images").rglob("img-000003.jpg"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    var = tmp_path_factory.mktemp("nightly")
    write_catalogue(var / "landing", images=120, seed=5)
    return Workspace(var)


@pytest.fixture(scope="module")
def first_night(workspace):
    return workspace.vsearch("run", "nightly")


@pytest.fixture
def in_session(spark, workspace, monkeypatch, capsys):
    """Run a command in the suite's session, where Java need not start and learn again; return what it prints."""
    for module in (session, runner):
        monkeypatch.setattr(module, "spark_session", lambda *_: nullcontext(spark))

    def run(*arguments: str) -> str:
        parsed = vsearch_parser().parse_args(workspace.command(*arguments)[3:])
        code = exit_code(lambda: parsed.call(parsed))
        printed = capsys.readouterr()
        assert (code, printed.err) == (0, "")
        return printed.out

    return run


@pytest.fixture
def lake(spark, workspace) -> Lake:
    return Lake(spark, str(workspace.var / "lake"), "look")


@pytest.fixture
def published(first_night, workspace) -> Searcher:
    assert first_night.returncode == 0, workspace.output_of(first_night)
    return Searcher.open(str(workspace.var / "index"), cache=NO_CACHE)


def test_the_first_night_succeeds_and_prints_only_what_a_user_can_use(first_night, workspace):
    assert first_night.returncode == 0, workspace.output_of(first_night)
    assert first_night.stderr == ""
    assert not [word for word in CHATTER if word in first_night.stdout]


def test_the_first_night_prints_figures_and_writes_pages(first_night, workspace):
    for words in (
        "images in",
        "images refused",
        "recall@10 against exact",
        "nDCG@10",
        "raw pixels",
        "untrained network",
    ):
        assert words in first_night.stdout
    pages = sorted((workspace.var / "reports").glob("*.html"))
    assert all(str(page) in first_night.stdout for page in pages)
    page, monitoring, online, profile = pages
    assert [file.name.split("-")[0] for file in (monitoring, online, profile)] == ["monitoring", "online", "profile"]
    assert page.read_text().count("data:image/jpeg") > 20


def test_the_first_night_raises_no_alert_and_says_what_it_has_no_data_for(first_night):
    assert "ALERT" not in first_night.stdout
    assert "; no data for " in first_night.stdout


def test_lake_and_index_hold_the_same_images_after_a_night(first_night, lake):
    differences = lake.read("metrics").where("metric = 'reconciliation_differences'").collect()
    assert len(differences) == 6
    assert {row["value"] for row in differences} == {0}


def test_every_step_is_timed(first_night, lake):
    timed = {row["subject"] for row in lake.read("metrics").where("metric = 'step_seconds'").collect()}
    assert {"ingest_images", "train_encoder", "embed_images", "build_index", "publish_index", "evaluate"} <= timed


def test_each_figure_of_a_night_is_recorded_once_and_recall_with_its_interval(published, lake):
    rows = lake.read("metrics").collect()
    keys = [(row["run"], row["metric"], row["subject"], row["slice"]) for row in rows]
    assert len(keys) == len(set(keys))
    recalls = [row for row in rows if row["metric"] == "recall_at_10"]
    assert {row["slice"] for row in recalls} == {"whole", "new", "crop"}
    assert {row["subject"] for row in recalls} == {f"index {published.manifest.version}"}
    assert all(0 <= row["low"] <= row["value"] <= row["high"] <= 1 and row["n"] > 1 for row in recalls)


def test_what_landed_is_in_the_lake_or_refused_with_a_reason(published, lake):
    refused = {row["reason"] for row in lake.read("quarantine").collect()}
    assert refused == {"empty_file", "undecodable", "unsupported_format", "missing_file"}
    assert lake.read("images").count() == 120
    assert lake.read("image_pixels").count() < 120  # copies under a second id are stored once


def test_the_index_holds_every_living_unblocked_image_once(published, lake):
    expected = {row["image_id"] for row in lake.read("images").where("moderation != 'blocked'").collect()}
    indexed = published.rows["image_id"].to_pylist()
    assert len(indexed) == len(set(indexed))
    assert set(indexed) == expected


def test_the_manifest_names_what_the_index_was_made_from(published, lake):
    manifest = published.manifest
    assert set(manifest.tables) == {"images", "embeddings"}
    assert manifest.tables["images"] == lake.version("images")
    # After the index was built, `evaluate` stored features of the untrained network.
    index_reads = lake.read("embeddings", version=manifest.tables["embeddings"])
    of_model = f"model_version = '{manifest.model.version}'"
    assert index_reads.where(of_model).count() == lake.read("embeddings").where(of_model).count() > 0
    assert manifest.training_snapshot in {r["snapshot"] for r in lake.read("training_examples").collect()}
    assert len(manifest.shards) == 2
    assert manifest.gate.passed


def test_no_test_image_is_in_a_training_example(published, lake, settings):
    from vsearch_lib.examples.split import with_split

    images = with_split(lake.read("images"), lake.read("near_duplicates"), settings.examples)
    test_ids = {row["image_id"] for row in images.where("split = 'test'").collect()}
    rows = lake.read("training_examples").collect()
    seen = {image for row in rows for image in (row["query_image_id"], *row["candidate_image_ids"])}
    assert test_ids
    assert not test_ids & seen


def test_a_picture_of_the_catalogue_finds_itself(published, workspace):
    done = workspace.vsearch("search", "--image", str(workspace.a_picture()), "--json", "--copies", "-k", "5")
    assert done.returncode == 0, workspace.output_of(done)
    answers = json.loads(done.stdout)["answers"]
    assert [answer["rank"] for answer in answers] == [1, 2, 3, 4, 5]
    # In a network trained on 120 pictures, another picture may be as near up to rounding: that answer is not wrong.
    cosines = {answer["image_id"]: answer["cosine"] for answer in answers}
    assert cosines["img-000003"] > max(0.999, answers[0]["cosine"] - 0.001)


def test_a_search_writes_a_page_with_the_pictures_it_found(published, workspace, tmp_path):
    page = tmp_path / "answers.html"
    done = workspace.vsearch(
        "search", "--image", str(workspace.a_picture()), "--crop", "20,20,160,160", "--html", str(page)
    )
    assert done.returncode == 0, workspace.output_of(done)
    assert done.stderr == ""
    assert page.read_text().count("data:image/jpeg") == 11


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "--image", "nowhere.jpg"), "nowhere.jpg: no such file"),
        (("search", "--image", __file__), "unsupported_format"),
        (("run", "nightly", "--start", "2026-11-01"), "--start and --end go together"),
    ],
)
def test_an_error_of_the_user_is_one_line_and_exits_with_2(published, workspace, arguments, message):
    done = workspace.vsearch(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_pairs_to_label_are_written_with_a_page_and_the_filled_file_is_ingested(
    spark, published, workspace, lake, in_session
):
    assert in_session("label", "next", "--pairs", "9").startswith("9 pairs to score: ")
    (file,) = (workspace.var / "reports").glob("label-*/judgements.csv")
    assert file.with_name("sheet.html").read_text().count("data:image/jpeg") >= 10
    heading, *lines = file.read_text().splitlines()
    assert len(lines) == 9
    day = workspace.var / "landing" / "judgements" / "date=2026-11-10"
    day.mkdir()
    scored = "\n".join([heading, *(line.removesuffix(",") + "me,4" for line in lines)])
    (day / "judgements.csv").write_text(scored + "\n")
    workspace.step(spark, "ingest_judgements", "labelled", dates=(date(2026, 11, 10),))
    assert lake.read("judgements").where("annotator = 'me' AND score = 4").count() == 9


def test_a_gate_that_refuses_exits_with_3_and_the_served_index_stays(spark, published, workspace, capsys):
    before = workspace.pointer
    ruined = ("index.nprobe=1", "index.shortlist=10", "index.factory=IVF16,PQ1x4np", "gate.min_recall_at_10=0.99")
    assert exit_code(lambda: workspace.night(spark, "ruined", *ruined)) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "whole: recall@10" in line
    assert workspace.pointer == before


def test_a_second_night_with_nothing_new_changes_nothing(published, workspace, lake, in_session):
    versions, pointer = workspace.versions(lake), workspace.pointer
    assert "nothing to build" in in_session("run", "nightly")
    assert workspace.versions(lake) == versions
    assert workspace.pointer == pointer


def test_a_run_whose_java_dies_reports_it_in_one_line(published, workspace, lake):
    versions, pointer = workspace.versions(lake), workspace.pointer
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(workspace.command("run", "refresh_index"), **pipes) as run:
        assert run.stdout is not None
        assert run.stdout.readline().startswith("[1/")
        java = subprocess.run(["pgrep", "-P", str(run.pid), "java"], capture_output=True, text=True, check=True)
        os.kill(int(java.stdout), signal.SIGKILL)
        _, error = run.communicate(timeout=60)
    assert run.returncode == 1
    (line,) = error.splitlines()
    assert "the Java process of Spark is gone" in line
    assert str(workspace.var / "logs" / "spark.log") in line
    assert (workspace.versions(lake), workspace.pointer) == (versions, pointer)


def test_an_image_with_a_landed_deletion_is_not_in_the_next_index(spark, published, workspace):
    day = workspace.var / "landing" / "images" / "date=2026-11-09"
    day.mkdir()
    (day / "metadata.jsonl").write_text('{"image_id": "img-000003", "deleted": true}\n')
    workspace.night(spark, "deletion", dates=(date(2026, 11, 9),))
    served = Searcher.open(str(workspace.var / "index"), cache=NO_CACHE)
    assert served.manifest.kind == "delta"
    visible = {served.rows["image_id"][int(row)].as_py() for row in served.visible_ids()}
    assert "img-000003" not in visible
    assert len(visible) == len(published.visible_ids()) - 1
