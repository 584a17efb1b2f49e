"""Airflow in a temporary home: its own database, no examples, a local Spark master. Set before Airflow is imported."""

import atexit
import contextlib
import io
import os
import tempfile
from collections.abc import Callable
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
    # A task's JVM is gone before code that was compiled well would pay.
    SPARK_SUBMIT_OPTS="-XX:TieredStopAtLevel=1",
)
for _name in ("SPARK_HOME", "AIRFLOW_VAR_VSEARCH_ENV"):
    os.environ.pop(_name, None)


def pytest_configure(config: pytest.Config) -> None:
    """Airflow's own libraries deprecate one another; nothing here can act on that."""
    config.addinivalue_line("filterwarnings", "ignore:Using `httpx` with `starlette.testclient`")


@pytest.fixture(scope="session")
def database() -> None:
    """Airflow's database, with the pool that all tasks share."""
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
def told() -> Callable[[Any], dict[str, dict[str, Any]]]:
    """Return what the tasks of a run told of the assets that they wrote, by the asset's name."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    def of(run: Any) -> dict[str, dict[str, Any]]:
        events = select(AssetModel.name, AssetEvent.extra).join(AssetModel, AssetEvent.asset_id == AssetModel.id)
        with create_session() as session:
            return dict(session.execute(events.where(AssetEvent.source_run_id == run.run_id)).all())

    return of
