"""A night on a cluster of processes without the project's code, with everything in a bucket of an S3 server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from vsearch_lib.artefact.pointer import current_manifest
from vsearch_lib.config import PROJECT, load_settings
from vsearch_lib.demo import write_catalogue
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.models.load import load_model
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

pytestmark = pytest.mark.slow

IMAGES = 40
# The number of bad uploads is fixed: in such a small catalogue they are more than a night may refuse.
SETTINGS = ("quality.max_refused_share=0.2",)
# Executors end before fully optimised code pays off, and for a few rows compiling a plan takes longer than running it.
BRIEF_JAVA = (
    "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote "
    "-Dspark.executor.extraJavaOptions=-XX:TieredStopAtLevel=1 "
    "-Dspark.sql.codegen.wholeStage=false -Dspark.sql.codegen.factoryMode=NO_CODEGEN"
)


@pytest.fixture(scope="module")
def landed(bucket, tmp_path_factory) -> tuple[str, Path]:
    """A generated catalogue in the bucket: the value of the setting `var`, and the folder that was uploaded."""
    folder = tmp_path_factory.mktemp("catalogue") / "landing"
    write_catalogue(folder, images=IMAGES, seed=3)
    name, prefix = bucket.removeprefix("s3://"), uuid.uuid4().hex
    for file in folder.rglob("*"):
        if file.is_file():
            boto3.client("s3").upload_file(str(file), name, f"{prefix}/landing/{file.relative_to(folder)}")
    return f"s3a://{name}/{prefix}", folder


@pytest.fixture(scope="module")
def environment(bucket) -> dict[str, str]:
    """Of a driver, with the credentials of the bucket."""
    ours = {name: value for name, value in os.environ.items() if name != "PYSPARK_PYTHON"}
    return {**ours, "SPARK_SUBMIT_OPTS": BRIEF_JAVA, "COLUMNS": "200"}


@pytest.fixture(scope="module")
def overrides(landed, bare_master, tmp_path_factory) -> tuple[str, ...]:
    return (
        f"var={landed[0]}",
        f"cache={tmp_path_factory.mktemp('cache')}",
        f"spark.master={bare_master}",
        f"spark.workers_environment={PROJECT / 'var' / 'workers-environment.tar.gz'}",
        *SETTINGS,
    )


# The steps with tasks in Python, from pictures to an index, and then those of a second night.
NIGHT = ("ingest_images", "train_encoder", "embed_images", "build_index", "publish_index")
SECOND_NIGHT = ("embed_images", "build_index")


def executors(folder: Path) -> list[int]:
    """Return the ids of the processes that run tasks of the cluster below `folder`: another test may have one too."""
    process_ids = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            working_folder = Path(os.readlink(process / "cwd"))
        except OSError:
            continue
        if "CoarseGrainedExecutorBackend" in command and working_folder.is_relative_to(folder):
            process_ids.append(int(process.name))
    return process_ids


@dataclass(frozen=True)
class Night:
    """The output of the steps, and how many files of features were written when an executor was killed."""

    output: str
    written: int


@pytest.fixture(scope="module")
def night(overrides, environment, landed, wait, tmp_path_factory) -> Night:
    """The steps on the cluster; an executor is killed while features are computed."""
    bucket, _, prefix = landed[0].removeprefix("s3a://").partition("/")
    client = boto3.client("s3")

    def pending() -> int:
        time.sleep(0.4)  # the server needs the same two cores
        return client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/lake/pending_embeddings/").get("KeyCount", 0)

    command = [sys.executable, "-m", "tests.support.run_steps", *NIGHT, *SECOND_NIGHT, "--set", *overrides]
    command.append("embedding.images_per_task=2")
    steps = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    wait(lambda: pending() > 2 or steps.poll() is not None, seconds=600)
    written = pending()
    for process in executors(tmp_path_factory.getbasetemp())[:1]:
        os.kill(process, signal.SIGKILL)
    out, err = steps.communicate(timeout=900)
    assert steps.returncode == 0, err
    return Night(out, written)


def test_an_index_is_published_in_the_bucket(night, landed):
    assert "build_index: full, nothing is published yet" in night.output
    manifest = current_manifest(open_store(f"{landed[0]}/index"))
    assert manifest.gate.passed
    assert 0 < manifest.rows <= IMAGES
    assert set(manifest.tables) >= {"images", "embeddings"}


def test_the_vectors_are_those_of_one_machine_although_an_executor_was_killed(night, overrides, landed):
    assert 0 < night.written < IMAGES // 4
    settings = load_settings("demo", overrides)
    searcher = Searcher.open(settings.index.uri, cache=Path(settings.cache))
    model = load_model(settings.models.uri, searcher.manifest.model.version)
    rows = searcher.visible_ids()
    names = [searcher.rows["image_id"][int(row)].as_py() for row in rows]
    image = settings.image
    limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size)
    files = {file.stem: file for file in (landed[1] / "images").rglob("img-*")}
    jpegs = [normalise(files[name].read_bytes(), limits).jpeg for name in names]
    expected = model.embedder(batch_size=8).embed(jpegs)
    assert (searcher.vectors(rows) * expected).sum(axis=1).min() >= 0.999  # stored as float16


def test_a_search_finds_an_image_that_the_night_published(night, landed, overrides):
    picture = next((landed[1] / "images").rglob("img-000003.jpg"))
    chosen = [f"--set={setting}" for setting in overrides]
    command = ["search", "--image", str(picture), "--json", "--copies", "-k", "30", "--env=demo", *chosen]
    done = subprocess.run([sys.executable, "-m", "vsearch_lib.cli", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["answers"]
    assert answers[0]["image_id"] == "img-000003"
    assert answers[0]["cosine"] > 0.999


def test_a_second_refresh_has_nothing_to_do(night):
    assert night.output.count("build_index: full") == 1
    assert "nothing to build" in night.output.split("publish_index")[-1]


def test_a_whole_night_and_a_second_one_run_on_the_cluster(landed, overrides, environment):
    command = [sys.executable, "-m", "vsearch_lib.cli", "run", "nightly", "--env=demo"]
    whole = [f"--set={setting}" for setting in (*overrides, f"lake.uri={landed[0]}/whole/lake")]
    whole += [f"--set={name}.uri={landed[0]}/whole/{name}" for name in ("models", "index", "reports")]
    for _ in range(2):
        done = subprocess.run([*command, *whole], capture_output=True, text=True, timeout=1800, env=environment)
        assert done.returncode == 0, done.stderr
    assert "nothing to build" in done.stdout
