"""What must hold for every DAG before anything runs."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vsearch_lib.steps import GRAPHS

PROJECT = Path(__file__).resolve().parents[2]
DAGS = PROJECT / "dags"
DAG_IDS = ["ingest", "maintain", "measure", "refresh_index", "retrain"]  # listed, so that a missing one is noticed
HEAVY = {"torch", "torchvision", "faiss", "pyspark", "pandas", "pyarrow", "numpy", "petastorm"}


def test_every_file_is_imported_without_error_and_no_dag_is_missing(load_dags: Callable[[], Any]) -> None:
    bag = load_dags()
    assert bag.import_errors == {}
    assert sorted(bag.dags) == DAG_IDS


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_the_tasks_are_exactly_the_step_graph(load_dags: Callable[[], Any], dag_id: str) -> None:
    dag = load_dags().dags[dag_id]
    edges = {(task.task_id, upstream) for task in dag.tasks for upstream in task.upstream_task_ids}
    assert [task.task_id for task in dag.tasks] == [step.name for step in GRAPHS[dag_id]]
    assert edges == {(step.name, upstream) for step in GRAPHS[dag_id] for upstream in step.after}


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_dag_is_described_and_does_not_catch_up(load_dags: Callable[[], Any], dag_id: str) -> None:
    dag = load_dags().dags[dag_id]
    assert dag.catchup is False
    assert dag.description
    assert dag.doc_md
    assert dag.tags


def test_only_days_are_ingested_in_parallel(dags: dict[str, Any]) -> None:
    limits = {dag_id: dag.max_active_runs for dag_id, dag in dags.items()}
    assert limits == {"ingest": 4, "maintain": 1, "measure": 1, "refresh_index": 1, "retrain": 1}


def test_the_index_is_refreshed_after_pictures_were_ingested(dags: dict[str, Any]) -> None:
    (awaited,) = [asset.name for asset in dags["refresh_index"].timetable.asset_condition.objects]
    writers = {task.task_id for dag in dags.values() for task in dag.tasks for a in task.outlets if a.name == awaited}
    assert writers == {"ingest_images"}


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_task_has_the_assets_that_its_step_writes(load_dags: Callable[[], Any], dag_id: str) -> None:
    written = {task.task_id: [a.name for a in task.outlets] for task in load_dags().dags[dag_id].tasks}
    assert written == {step.name: [f"vsearch/{name}" for name in step.writes] for step in GRAPHS[dag_id]}


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_task_has_an_owner_retries_a_timeout_and_the_pool(load_dags: Callable[[], Any], dag_id: str) -> None:
    for task in load_dags().dags[dag_id].tasks:
        assert task.owner == "vsearch"
        assert task.retries > 0
        assert task.retry_exponential_backoff > 1
        assert task.max_retry_delay > task.retry_delay
        assert task.pool == "spark"
        assert task.execution_timeout
        assert task.on_failure_callback
        assert task.on_success_callback


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_task_submits_a_job_that_exists(load_dags: Callable[[], Any], dag_id: str) -> None:
    for task in load_dags().dags[dag_id].tasks:
        assert task.application == str(PROJECT / "jobs" / f"{task.task_id}.py")
        assert Path(task.application).is_file()


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_the_environments_offered_are_the_files_in_conf(load_dags: Callable[[], Any], dag_id: str) -> None:
    offered = load_dags().dags[dag_id].params.get_param("env").schema["enum"]
    assert set(offered) - {None} == {file.stem for file in (PROJECT / "conf").glob("*.yaml")} - {"base"}


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_only_a_dag_that_ingests_landing_partitions_has_a_date(load_dags: Callable[[], Any], dag_id: str) -> None:
    by_day = any(step.by_day for step in GRAPHS[dag_id])
    assert ("date" in load_dags().dags[dag_id].params) == by_day == (dag_id == "ingest")


def test_parsing_imports_nothing_heavy_reads_no_file_and_is_quick() -> None:
    # In a process of its own, because imports stay. The time excludes the imports of Airflow and its operator.
    program = """
import importlib, json, sys, time
from airflow.providers.apache.spark.operators import spark_submit
from airflow.sdk import (
    DAG, Asset, Connection, Context, CronDataIntervalTimetable, CronTriggerTimetable, Param, RetryDecision, RetryPolicy,
    Variable,
)
from airflow.sdk.exceptions import AirflowNotFoundException
sys.path.append(sys.argv[1])
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
start = time.perf_counter()
for name in sys.argv[2:]:
    importlib.import_module(name)
seconds = time.perf_counter() - start
read = [file for file in opened if not file.endswith((".py", ".pyc"))]
print(json.dumps({"seconds": seconds, "read": read, "modules": list(sys.modules)}))
"""
    names = [file.stem for file in DAGS.glob("*.py")]
    result = subprocess.run([sys.executable, "-c", program, DAGS, *names], capture_output=True, text=True, check=True)
    parsed = json.loads(result.stdout.splitlines()[-1])
    assert {module.partition(".")[0] for module in parsed["modules"]} & HEAVY == set()
    assert parsed["read"] == []
    print(f"all DAGs parsed in {parsed['seconds']:.2f} s")
    assert parsed["seconds"] < 2
