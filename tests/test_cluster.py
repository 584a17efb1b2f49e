"""A whole night on a cluster of processes without the project's code, with everything in a bucket of an S3 server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import boto3
import pytest

from vsearch_lib.artefact.pointer import current_manifest
from vsearch_lib.config import PROJECT
from vsearch_lib.demo import write_catalogue
from vsearch_lib.storage import open_store

IMAGES = 60
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
def vsearch(landed, bare_master, tmp_path_factory):
    """Run a command on the cluster; return its output."""
    locations = (
        f"var={landed[0]}",
        f"cache={tmp_path_factory.mktemp('cache')}",
        f"spark.master={bare_master}",
        f"spark.workers_environment={PROJECT / 'var' / 'workers-environment.tar.gz'}",
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYSPARK_PYTHON"}
    environment["SPARK_SUBMIT_OPTS"] = BRIEF_JAVA

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "vsearch_lib.cli", *arguments, "--env=demo"]
        command += [f"--set={setting}" for setting in (*locations, *SETTINGS)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=900, env={**environment, "COLUMNS": "200"}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def night(vsearch) -> str:
    return vsearch("run", "nightly")


def test_a_night_on_a_cluster_publishes_an_index_in_the_bucket(night, landed):
    assert "build_index: full, nothing is published yet" in night
    manifest = current_manifest(open_store(f"{landed[0]}/index"))
    assert manifest.gate.passed
    assert 0 < manifest.rows <= IMAGES
    assert set(manifest.tables) >= {"images", "embeddings"}


def test_a_search_finds_an_image_that_the_night_published(night, landed, vsearch):
    picture = next((landed[1] / "images").rglob("img-000003.jpg"))
    answers = json.loads(vsearch("search", "--image", str(picture), "--json", "-k", "30"))["answers"]
    assert answers[0]["image_id"] == "img-000003"
    assert answers[0]["cosine"] > 0.999


def test_a_second_index_refresh_on_the_cluster_has_nothing_to_do(night, landed, vsearch):
    before = current_manifest(open_store(f"{landed[0]}/index"))
    again = vsearch("run", "refresh_index")
    assert "nothing to build" in again
    assert current_manifest(open_store(f"{landed[0]}/index")) == before
