"""How every DAG hands a step to Spark: one command line, one rule for what is tried again, one trace of what it did."""

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
from vsearch_alert import report_failure

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
    """Fails a task at once where trying again gives the same answer; leaves every other failure to `retries`."""

    # As the hook words a failed spark-submit; it offers the code in no other form.
    _EXIT_CODE = re.compile(r"Error code is: (\d+)\.")
    _REASONS: ClassVar = {
        2: "exit code 2: bad usage or configuration; correct it, then clear this task",
        3: "exit code 3: a gate refused, nothing was committed or published; the log's last lines say why",
    }

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide from the exit code of the job."""
        found = self._EXIT_CODE.search(str(exception))
        reason = self._REASONS.get(int(found[1])) if found else None
        return RetryDecision.fail(reason) if reason else RetryDecision.default()


DEFAULTS: dict[str, Any] = {
    "owner": "vsearch",
    "pool": "spark",
    "retries": 3,
    "retry_delay": timedelta(minutes=2),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=30),
    "retry_policy": NoRetryOnLastingError(),
    # Longer than any step of a catalogue that one machine serves; a training on a cluster of images wants its own.
    "execution_timeout": timedelta(hours=4),
    "on_failure_callback": report_failure,
}


class SparkStep(SparkSubmitOperator):
    """Submits a step's job, and tells of the assets that the job says it wrote."""

    def execute(self, context: Context) -> None:
        """Run the job; its trace becomes the metadata of its assets' events. What it left as it was has no event.

        All of them have one where the job leaves no trace, because its driver runs elsewhere, and at another try: one
        that was killed may have written what this one finds there.
        """
        with tempfile.TemporaryDirectory(prefix="vsearch-trace-") as folder:
            file = Path(folder) / "trace.json"
            self.env_vars = {**(self.env_vars or {}), TRACE_FILE: str(file)}
            super().execute(context)
            trace = json.loads(file.read_text()) if file.exists() else None
        if trace is None:
            return
        if context["task_instance"].try_number == 1:
            # Read by Airflow when the task has ended: what waits for a table does not start where nothing was new.
            self.outlets = [asset(name) for name in (*trace["wrote"], *trace["made"]) if asset(name) in self.outlets]
        for written in self.outlets:
            context["outlet_events"][written].extra.update(trace)


def asset(name: str) -> Asset:
    """Return the asset of a table of the lake, or of the published index."""
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
        # Jobs run in an environment of their own: Airflow's libraries and theirs exclude one another.
        spark_binary=str(PROJECT / ".venv" / "bin" / "spark-submit"),
        env_vars={
            # Of the driver alone: which one the workers take, the job's settings say.
            "PYSPARK_DRIVER_PYTHON": python,
            "SPARK_CONF_DIR": str(PROJECT / "conf" / "spark"),
        },
        application=str(PROJECT / "jobs" / f"{step.name}.py"),
        # Airflow calls what it finds here as it renders the task; its types do not say so.
        application_args=arguments_of(step),  # type: ignore[arg-type]
        outlets=[asset(name) for name in step.writes],
    )


def arguments_of(step: Step) -> Callable[..., list[str]]:
    """Return the function that Airflow calls to render a step's arguments; a template could not leave one out."""

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
    """Return the landing partition that a DAG run takes in: the last day that was over when it was due.

    Not `ds`: of a run started by hand that is today, a day still being written.
    """
    # A run triggered over the API may come without a logical date, and so without an interval.
    start = run.data_interval_start or run.run_after - timedelta(days=1)
    return f"{start.astimezone(UTC):%Y-%m-%d}"


def run_id(run: Any) -> str:
    """Return the run's name in tables and model versions: the same for all tasks and tries of a DAG run.

    It begins with the time, as the names of runs outside Airflow do, because model versions sort by it. Airflow's own
    name of the run may hold characters that have no place in a path; its hash keeps two runs of one second apart.
    """
    digest = hashlib.sha256(run.run_id.encode()).hexdigest()[:8]
    return f"{run.run_after.astimezone(UTC):%Y%m%dT%H%M%SZ}-{run.dag_id}-{digest}"
