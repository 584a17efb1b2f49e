"""Airflow in a temporary home, with its own database and a local Spark master; this is set before Airflow's import."""

import atexit
import contextlib
import io
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DAGS = PROJECT / "dags"

_home = tempfile.TemporaryDirectory(prefix="vsearch-airflow-")
atexit.register(_home.cleanup)
os.environ.update(
    AIRFLOW_HOME=_home.name,
    AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
    AIRFLOW__CORE__LOAD_EXAMPLES="false",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_home.name}/airflow.db",
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=f"{_home.name}/logs",
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
    AIRFLOW_CONN_SPARK_DEFAULT='{"conn_type": "spark", "host": "local[2]"}',
    SPARK_LOCAL_IP="127.0.0.1",
    # A task's JVM ends before fully optimised code pays off; Java would then reserve only 48 MB for compiled code.
    SPARK_SUBMIT_OPTS=(
        "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m "
        # Verifying Spark's classes takes an eighth of a task's time in Java.
        "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote "
        # For a few rows, compiling a plan takes longer than running it.
        "-Dspark.sql.codegen.wholeStage=false -Dspark.sql.codegen.factoryMode=NO_CODEGEN"
    ),
)
for _name in ("SPARK_HOME", "AIRFLOW_VAR_VSEARCH_ENV"):
    os.environ.pop(_name, None)


def pytest_configure(config: pytest.Config) -> None:
    """Ignore a deprecation warning between Airflow's own libraries, which we cannot change."""
    config.addinivalue_line("filterwarnings", "ignore:Using `httpx` with `starlette.testclient`")


@dataclass(frozen=True)
class Workspace:
    """A lake and an index; two workspaces share a landing folder."""

    var: Path
    landing: Path

    @property
    def settings(self) -> list[str]:
        landed = [f"landing.uri={self.landing}", f"landing.images={self.landing}/images"]
        # The small network, because these tests do not depend on the encoder.
        small = ["model.backbone=small", "model.weights=none", "training.epochs=20"]
        return [f"var={self.var}", *landed, *small, "quality.max_refused_share=0.5"]

    def make_model(self) -> None:
        self._by_hand("model")

    def ingest(self, *days: str) -> None:
        """Ingest days without Airflow, one after the other, and publish an index after each."""
        self._by_hand(*days)

    def content(self) -> dict[str, Any]:
        """Return a hash of each table's rows, and the answers of the index."""
        return dict(json.loads(self._by_hand("content").splitlines()[-1]))

    def _by_hand(self, *words: str) -> str:
        script = Path(__file__).with_name("by_hand.py")
        overrides = [word for setting in self.settings for word in ("--set", setting)]
        command = [PROJECT / ".venv" / "bin" / "python", script, *words, *overrides]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def workspaces(tmp_path: Path) -> tuple[Workspace, Workspace]:
    """Two workspaces with the same landing folder and the same model: one for runs by hand, one for Airflow."""
    landing = tmp_path / "landing"
    vsearch = PROJECT / ".venv" / "bin" / "vsearch"
    subprocess.run([vsearch, "demo-data", landing, "--images", "70", "--seed", "3"], check=True, capture_output=True)
    ordered, scheduled = Workspace(tmp_path / "ordered", landing), Workspace(tmp_path / "scheduled", landing)
    ordered.make_model()
    shutil.copytree(ordered.var / "models", scheduled.var / "models")
    return ordered, scheduled


@pytest.fixture(scope="session")
def database() -> None:
    """Make Airflow's database, with the pool that all tasks share."""
    from airflow.models.pool import Pool
    from airflow.utils.db import initdb

    with contextlib.redirect_stdout(io.StringIO()):
        initdb()
    Pool.create_or_update_pool("spark", slots=1, description="", include_deferred=False)


@pytest.fixture
def load_dags() -> Callable[[], Any]:
    """Parse the DAG folder as Airflow does; each call gives fresh DAGs."""
    from airflow.dag_processing.dagbag import BundleDagBag

    return lambda: BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder")


@pytest.fixture
def dags(load_dags: Callable[[], Any]) -> dict[str, Any]:
    """Every DAG, freshly parsed: a test may change them."""
    return dict(load_dags().dags)


@pytest.fixture
def asset_events() -> Callable[[Any], dict[str, dict[str, Any]]]:
    """Return a function of a run: asset name → metadata of the event that one of its tasks sent."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    def of(run: Any) -> dict[str, dict[str, Any]]:
        events = select(AssetModel.name, AssetEvent.extra).join(AssetModel, AssetEvent.asset_id == AssetModel.id)
        with create_session() as session:
            return dict(session.execute(events.where(AssetEvent.source_run_id == run.run_id)).all())

    return of
