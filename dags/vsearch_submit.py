"""How every DAG submits a step to Spark: the command line, the rule for retries, and the trace of what it did."""

import hashlib
import json
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, ClassVar

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import Asset, Context, Param, RetryDecision, RetryPolicy, Variable
from vsearch_alert import ALERTS, report_alerts, report_failure

from vsearch_lib.steps import GRAPHS, Step

PROJECT = Path(__file__).resolve().parents[1]
ENVIRONMENT_VARIABLE = "vsearch_env"
SETTINGS_VARIABLE = "vsearch_settings"
TRACE_FILE = "VSEARCH_TRACE_FILE"

PARAMS = {
    "env": Param(
        None,
        type=["null", "string"],
        enum=[None, "demo", "local", "cluster"],
        description=f"Configuration, `conf/<env>.yaml`. Empty: variable `{ENVIRONMENT_VARIABLE}`, else `local`.",
    ),
    "settings": Param(
        [],
        type="array",
        items={"type": "string", "pattern": r"^[a-z][a-z0-9_.]*="},
        description="Settings for this run only, one `section.key=value` a line. Paths are absolute. Those of every "
        f"run: variable `{SETTINGS_VARIABLE}`, a JSON list.",
    ),
}
DATE = Param(
    None,
    type=["null", "string"],
    pattern=r"^(all|\d{4}-\d{2}-\d{2})$",
    description="Landing partition: a day, or `all`. Empty: the run's own day, the last that was over when it was due.",
)


class NoRetryOnLastingError(RetryPolicy):
    """Fails a task at once if another try would give the same result; leaves every other failure to `retries`."""

    # The text of the hook for a failed spark-submit: it reports the exit code only there.
    _EXIT_CODE = re.compile(r"Error code is: (\d+)\.")
    _REASONS: ClassVar = {
        2: "exit code 2: bad usage or configuration; correct it, then clear this task",
        3: "exit code 3: a gate refused, nothing was committed or published; the log's last lines say why",
    }

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide from the exit code of the job."""
        match = self._EXIT_CODE.search(str(exception))
        reason = self._REASONS.get(int(match[1])) if match else None
        return RetryDecision.fail(reason) if reason else RetryDecision.default()


DEFAULTS: dict[str, Any] = {
    "owner": "vsearch",
    "pool": "spark",
    "retries": 3,
    "retry_delay": timedelta(minutes=2),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=30),
    "retry_policy": NoRetryOnLastingError(),
    # Longer than any step on a catalogue that one machine serves; training on a larger catalogue needs its own limit.
    "execution_timeout": timedelta(hours=4),
    "on_failure_callback": report_failure,
    "on_success_callback": report_alerts,
}


class SparkStep(SparkSubmitOperator):
    """Submits a step's job, and reports the assets that the job wrote, and its alerts."""

    def execute(self, context: Context) -> None:
        """Run the job; its trace becomes the metadata of its assets' events. An asset that did not change has no event.

        Every asset has an event if the job leaves no trace, because its driver runs on another machine, and also at a
        second try: the first may have been killed after it wrote an asset.
        """
        with tempfile.TemporaryDirectory(prefix="vsearch-trace-") as folder:
            file = Path(folder) / "trace.json"
            self.env_vars = {**(self.env_vars or {}), TRACE_FILE: str(file)}
            super().execute(context)
            trace = json.loads(file.read_text()) if file.exists() else None
        if trace is None:
            return
        if trace.get("alerts"):
            context["task_instance"].xcom_push(ALERTS, trace["alerts"])
        if context["task_instance"].try_number == 1:
            # Airflow reads the outlets when the task has ended: DAGs that wait for a table start only if it changed.
            self.outlets = [asset(name) for name in (*trace["wrote"], *trace["made"]) if asset(name) in self.outlets]
        for written in self.outlets:
            context["outlet_events"][written].extra.update(trace)


def asset(name: str) -> Asset:
    """Return the asset for a table of the lake, or for the published index."""
    return Asset(f"vsearch/{name}")


def submit_graph(graph_name: str) -> None:
    """Make the tasks of a step graph. Call it inside a DAG."""
    graph = GRAPHS[graph_name]
    tasks = {step.name: submit(step) for step in graph}
    for step in graph:
        tasks[step.name].set_upstream([tasks[name] for name in step.after])


def submit(step: Step) -> SparkStep:
    """Return the task of a step: spark-submit of `jobs/<name>.py` in the jobs environment. Call it inside a DAG."""
    python = str(PROJECT / ".venv" / "bin" / "python")
    return SparkStep(
        task_id=step.name,
        doc=step.does,
        name=f"vsearch {step.name}",
        conn_id="spark_default",
        # Jobs run in an environment of their own: their libraries and those of Airflow conflict.
        spark_binary=str(PROJECT / ".venv" / "bin" / "spark-submit"),
        env_vars={
            # For the driver only: the job's settings choose the Python of the workers.
            "PYSPARK_DRIVER_PYTHON": python,
            "SPARK_CONF_DIR": str(PROJECT / "conf" / "spark"),
        },
        application=str(PROJECT / "jobs" / f"{step.name}.py"),
        # Airflow calls this function when it renders the task; its types do not allow for that.
        application_args=arguments_of(step),  # type: ignore[arg-type]
        outlets=[asset(name) for name in step.writes],
    )


def arguments_of(step: Step) -> Callable[..., list[str]]:
    """Return the function that Airflow calls to render a step's arguments: a template could not omit an argument."""

    def render(context: Context, jinja_env: object) -> list[str]:
        params, run = context["params"], context["dag_run"]
        env = params["env"] or Variable.get(ENVIRONMENT_VARIABLE, default="local")
        settings = [*Variable.get(SETTINGS_VARIABLE, default=[], deserialize_json=True), *params["settings"]]
        date = (params["date"] or landing_date(run)) if step.by_day else "all"
        return [
            *("--env", env),
            *(() if date == "all" else ("--date", date)),
            *("--run-id", run_id(run)),
            *(word for setting in settings for word in ("--set", setting)),
            *step.options.words(),
        ]

    return render


def landing_date(run: Any) -> str:
    """Return the landing partition that a DAG run ingests: the last day that was over when the run was due.

    It is not `ds`: for a run started by hand that is today, a day that is still being written.
    """
    # A run triggered by the API may have no logical date, and so no interval.
    start = run.data_interval_start or run.run_after - timedelta(days=1)
    return f"{start.astimezone(UTC):%Y-%m-%d}"


def run_id(run: Any) -> str:
    """Return the run's name in tables and model versions: the same for all tasks and tries of a DAG run.

    It begins with the time, like the names of runs outside Airflow, because model versions sort by it. Airflow's own
    name of the run may hold characters that are not allowed in a path; its hash distinguishes two runs of one second.
    """
    digest = hashlib.sha256(run.run_id.encode()).hexdigest()[:8]
    return f"{run.run_after.astimezone(UTC):%Y%m%dT%H%M%SZ}-{run.dag_id}-{digest}"
