"""Fixtures of all tests: one Spark session, small settings, an S3 server, landing folders, a small index."""

import importlib.util
import io
import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from tests.support.s3_server import KEY, REGION, SECRET, s3_server
from tests.support.small_model import SMALL
from vsearch_lib.config import Settings, load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.images.step import ingest_images
from vsearch_lib.lake import Lake
from vsearch_lib.spark.session import start_session

pytest_plugins = (
    "tests.support.browser",
    "tests.support.noisy_pictures",
    "tests.support.served_pictures",
    "tests.support.photo_catalogue",
    "tests.support.judged_catalogue",
    "tests.support.standalone_cluster",
)


# For a few rows, compiling a plan takes longer than running it. The commands that tests start do compile theirs.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
# A session of many minutes, unlike a demo's, gains from fully optimised code; a parallel collector would only take the
# cores from the other test process.
LONG_LIVED = {"spark.driver.extraJavaOptions": "-XX:+UseSerialGC"}


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    settings = load_settings("demo", [f"var={tmp_path_factory.mktemp('spark')}"])
    conf = settings.spark.model_copy(update={"conf": {**settings.spark.conf, **INTERPRETED, **LONG_LIVED}})
    session = start_session(settings.model_copy(update={"spark": conf}), "tests")
    yield session
    session.stop()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings("demo", [f"var={tmp_path}", *SMALL])


@pytest.fixture
def lake(spark, tmp_path: Path) -> Lake:
    return Lake(spark, str(tmp_path / "lake"), "run-1")


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty bucket of an S3 server on this machine; the environment has its credentials, by S3's usual names."""
    import boto3

    with s3_server(tmp_path_factory.mktemp("s3")) as address, pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_ALLOW_HTTP": "true",
        }.items():
            environment.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="vsearch-tests")
        yield "s3://vsearch-tests"


@pytest.fixture(params=["folder", "bucket"])
def store_uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URI of an empty store: a local folder, then a prefix of the bucket."""
    if request.param == "folder":
        return str(tmp_path / "store")
    return f"{request.getfixturevalue('bucket')}/{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def small_index() -> ModuleType:
    """The module `tests/support/small_index.py`: catalogues, shards, manifests."""
    path = Path(__file__).parent / "support" / "small_index.py"
    spec = importlib.util.spec_from_file_location("small_index", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def picture(seed: int, form: str = "PNG") -> bytes:
    """Another picture for every seed."""
    noise = np.random.default_rng(seed).integers(0, 255, (4, 5, 3), np.uint8)
    sink = io.BytesIO()
    Image.fromarray(noise).resize((30, 24)).save(sink, form)
    return sink.getvalue()


class Landing:
    """A folder where pictures and their metadata land."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, name: str, content: bytes) -> str:
        """Land a file; its modification time is fixed, so that only its bytes show whether it was landed again."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (1_700_000_000, 1_700_000_000))
        return str(file)

    def describe(self, rows: Sequence[Mapping[str, object] | str], name: str = "metadata.jsonl") -> str:
        text = "".join(f"{row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        return self.put(name, text.encode())


def row(image_id: str, file: str | None = None, **more: object) -> dict[str, object]:
    """A complete metadata row of an image."""
    return {
        "image_id": image_id,
        "file": file or f"{image_id}.png",
        "owner_id": "owner",
        "uploaded_at": "2024-05-06T07:08:09Z",
        **more,
    }


@pytest.fixture(scope="session")
def ingest(spark):
    """Run `ingest_images` over a landing folder into the lake beside it; return its figures by name."""

    def run(landing: Landing, run_id: str, *overrides: str, dates=None, retry=False) -> tuple[Lake, dict[str, float]]:
        var = landing.folder.parent
        chosen = [f"var={var}", f"landing.images={landing.folder}", "quality.max_refused_share=0.9", *overrides]
        settings = load_settings("demo", chosen)
        lake = Lake(spark, settings.lake.uri, run_id)
        job = StepContext(settings=settings, lake=lake, run_id=run_id, dates=dates, say=lambda _: None)
        figures: list[Figure] = ingest_images(job, retry=retry)
        return lake, {figure.metric: figure.value for figure in figures}

    return run


@pytest.fixture(scope="session")
def make():
    """The builders of landed files, for modules that cannot import this one."""

    class Make:
        landing = Landing
        picture = staticmethod(picture)
        row = staticmethod(row)

    return Make
