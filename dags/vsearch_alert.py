"""What happens when a task has failed for good: one line in its log, and the same to whoever is to be called."""

import logging

from airflow.sdk import Connection, Context
from airflow.sdk.exceptions import AirflowNotFoundException

CONNECTION = "vsearch_alert"
_SECONDS = 10

log = logging.getLogger(__name__)


def report_failure(context: Context) -> None:
    """Post `{"text": …}` to the connection `vsearch_alert`: a host that is a URL, its secret last part the password.

    Chat services take this form. Without the connection the log is all there is; an alert that cannot be delivered
    is said there too, and fails nothing.
    """
    task, run = context["task_instance"], context["dag_run"]
    text = f"vsearch: {task.dag_id}.{task.task_id} failed after {task.try_number} tries in run {run.run_id}"
    log.error(text)
    try:
        receiver = Connection.get(CONNECTION)
    except AirflowNotFoundException:
        return
    import httpx  # heavy, and few parses of this file see a failure

    url = "/".join(part for part in (str(receiver.host).rstrip("/"), receiver.password) if part)
    try:
        httpx.post(url, json={"text": text}, timeout=_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        # Not its text, which has the URL and so the secret.
        log.error("the alert was not delivered to %s: %s", CONNECTION, type(error).__name__)
