"""The command line and the environment of a task, its events, and which failures are tried again."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vsearch_lib.steps import GRAPHS

PROJECT = Path(__file__).resolve().parents[2]
LOGICAL_DATE = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)

Submitted = dict[str, tuple[list[str], dict[str, str]]]
Submit = Callable[..., Submitted]


@pytest.fixture
def submitted(database: None, dags: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Submit:
    """Run a DAG with a replaced spark-submit; return each task's command line and environment, in order."""
    from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook

    calls: Submitted = {}

    def record(hook: Any, application: str) -> None:
        calls[Path(application).stem] = (hook._build_spark_submit_command(application), hook._env)

    monkeypatch.setattr(SparkSubmitHook, "submit", record)

    def run(dag_id: str = "ingest", **conf: Any) -> Submitted:
        calls.clear()
        assert dags[dag_id].test(logical_date=LOGICAL_DATE, run_conf=conf).state == "success"
        return dict(calls)

    return run


def arguments(submitted: Submitted, job: str = "ingest_images") -> list[str]:
    """Return the words after the job's file on its command line."""
    command, _ = submitted[job]
    return command[command.index(str(PROJECT / "jobs" / f"{job}.py")) + 1 :]


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def test_a_task_submits_its_job_in_the_jobs_environment_to_the_local_master(submitted: Submit) -> None:
    command, environment = submitted("retrain")["train_encoder"]
    assert command[0] == str(PROJECT / ".venv/bin/spark-submit")
    assert option(command, "--master") == "local[2]"
    assert environment["PYSPARK_DRIVER_PYTHON"] == str(PROJECT / ".venv/bin/python")
    assert environment["SPARK_CONF_DIR"] == str(PROJECT / "conf/spark")


def test_a_run_has_the_last_finished_day_and_the_local_configuration(submitted: Submit) -> None:
    words = arguments(submitted())
    assert words[:4] == ["--env", "local", "--date", "2026-03-04"]
    assert words[4] == "--run-id"
    assert len(words) == 6


def test_parameters_choose_configuration_day_and_settings(submitted: Submit) -> None:
    words = arguments(submitted(env="demo", date="2026-02-01", settings=["var=/data/a b", "training.epochs=1"]))
    assert option(words, "--env") == "demo"
    assert option(words, "--date") == "2026-02-01"
    assert words[-4:] == ["--set", "var=/data/a b", "--set", "training.epochs=1"]


def test_a_run_of_all_partitions_has_no_date_option(submitted: Submit) -> None:
    assert "--date" not in arguments(submitted(date="all"))


def test_steps_that_ingest_nothing_have_no_date_option(submitted: Submit) -> None:
    calls = submitted("refresh_index")
    assert not [job for job in calls if "--date" in arguments(calls, job)]


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        ({"wrote": {"images": 4, "image_files": 4}, "made": {}}, {"vsearch/images"}),
        ({"wrote": {"image_files": 4}, "made": {}}, set()),
        (None, {"vsearch/images"}),
    ],
    ids=["written", "nothing new", "no trace"],
)
def test_only_written_assets_have_an_event(
    database: None,
    dags: dict[str, Any],
    asset_events: Callable[[Any], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    trace: dict[str, Any] | None,
    expected: set[str],
) -> None:
    from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook

    def write_trace(hook: Any, application: str) -> None:
        if trace is not None:
            Path(hook._env_vars["VSEARCH_TRACE_FILE"]).write_text(json.dumps(trace))

    monkeypatch.setattr(SparkSubmitHook, "submit", write_trace)
    dag = dags["ingest"].partial_subset("ingest_images", include_upstream=False)
    dag.task_dict["ingest_images"].retries = 0
    events = asset_events(dag.test())
    assert set(events) == expected
    assert all(extra == (trace or {}) for extra in events.values())


def test_a_second_try_reports_what_the_first_may_have_written(
    database: None, dags: dict[str, Any], asset_events: Callable[[Any], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook

    tries: list[str] = []

    def be_killed_once(hook: Any, application: str) -> None:
        tries.append(application)
        if len(tries) == 1:
            raise RuntimeError("killed after its commit")
        Path(hook._env_vars["VSEARCH_TRACE_FILE"]).write_text(json.dumps({"wrote": {}, "made": {}}))

    monkeypatch.setattr(SparkSubmitHook, "submit", be_killed_once)
    dag = dags["ingest"].partial_subset("ingest_images", include_upstream=False)
    task = dag.task_dict["ingest_images"]
    task.retries, task.retry_delay = 1, timedelta(seconds=1)
    run = dag.test()
    assert run.state == "success"
    assert len(tries) == 2
    assert set(asset_events(run)) == {"vsearch/images"}


def test_the_variable_chooses_the_configuration_of_runs_that_name_none(
    submitted: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_VSEARCH_ENV", "cluster")
    assert option(arguments(submitted()), "--env") == "cluster"
    assert option(arguments(submitted(env="demo")), "--env") == "demo"


def test_the_tasks_of_a_run_share_its_id(submitted: Submit) -> None:
    calls = submitted("retrain")
    assert calls.keys() == {step.name for step in GRAPHS["retrain"]}
    assert len({option(arguments(calls, job), "--run-id") for job in calls}) == 1


def test_the_jobs_understand_their_command_line(submitted: Submit) -> None:
    # Only the parser of the jobs, in the jobs environment, can tell whether the arguments are valid.
    program = """
import argparse, sys
from vsearch_lib.run.arguments import add_common_arguments
parser = argparse.ArgumentParser()
add_common_arguments(parser)
parser.add_argument("--retrain", action="store_true")
parsed = parser.parse_args()
print(parsed.env, parsed.date, *parsed.overrides)
"""
    words = arguments(submitted(env="demo", settings=["training.epochs=1", "gate.queries=5"]))
    command = [PROJECT / ".venv/bin/python", "-c", program, *words]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["demo", "2026-03-04", "training.epochs=1", "gate.queries=5"]


@pytest.mark.parametrize(
    "conf",
    [{"env": "production"}, {"date": "yesterday"}, {"settings": ["epochs"]}, {"settings": ["--env=demo"]}],
    ids=["environment", "date", "setting without a value", "setting that is an option"],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(dags: dict[str, Any], conf: dict[str, Any]) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    for name, value in conf.items():
        with pytest.raises(ParamValidationError):
            dags["ingest"].params.get_param(name).resolve(value)


def test_a_scheduled_run_is_due_at_midnight_and_ingests_the_day_before(dags: dict[str, Any]) -> None:
    import vsearch_submit
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(earliest=datetime(2026, 3, 4, tzinfo=UTC), latest=None, catchup=True)
    timetable = coerce_to_core_timetable(dags["ingest"].timetable)
    info = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    run = SimpleNamespace(data_interval_start=info.data_interval.start, run_after=info.run_after)
    assert info.run_after == datetime(2026, 3, 5, tzinfo=UTC)
    assert vsearch_submit.landing_date(run) == "2026-03-04"


def test_a_run_without_a_logical_date_ingests_the_day_before_its_trigger(dags: dict[str, Any]) -> None:
    import vsearch_submit

    run = SimpleNamespace(data_interval_start=None, run_after=LOGICAL_DATE)
    assert vsearch_submit.landing_date(run) == "2026-03-04"


def test_run_ids_sort_by_time_are_safe_in_a_path_and_differ_between_runs(dags: dict[str, Any]) -> None:
    import vsearch_submit

    def name(run_id: str, after: timedelta = timedelta(0)) -> str:
        run = SimpleNamespace(dag_id="ingest", run_id=run_id, run_after=LOGICAL_DATE + after)
        return vsearch_submit.run_id(run)

    by_hand, by_hand_too, later = name("a/b"), name("a:b"), name("a", timedelta(seconds=1))
    assert by_hand.startswith("20260305T103000Z-ingest-")
    assert set(by_hand) <= set("abcdefghijklmnopqrstuvwxyz0123456789TZ-")
    assert by_hand != by_hand_too
    assert max(by_hand, by_hand_too) < later


@pytest.mark.parametrize(
    ("exit_code", "tries"), [(0, 1), (1, 2), (2, 1), (3, 1)], ids=["done", "failed", "bad usage", "refused by a gate"]
)
def test_only_a_failure_that_may_pass_is_tried_again(
    database: None, dags: dict[str, Any], tmp_path: Path, exit_code: int, tries: int
) -> None:
    """This uses the real spark-submit, which has to pass on the exit code of a job."""
    job, log = tmp_path / "job.py", tmp_path / "tries"
    job.write_text(f"import sys\nprint(*sys.argv[1:], file=open({str(log)!r}, 'a'))\nsys.exit({exit_code})\n")
    dag = dags["ingest"].partial_subset("ingest_users", include_upstream=False)
    task = dag.task_dict["ingest_users"]
    task.application, task.retries, task.retry_delay = str(job), 1, timedelta(seconds=1)
    run = dag.test(logical_date=LOGICAL_DATE + timedelta(days=exit_code + 1))
    assert run.state == ("success" if exit_code == 0 else "failed")
    command_lines = log.read_text().splitlines()
    assert len(command_lines) == tries
    assert len(set(command_lines)) == 1  # every try has the same arguments, including the run id
