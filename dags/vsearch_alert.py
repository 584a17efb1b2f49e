"""Reports a task that has failed for good: one line in its log, and the same line to the alert's receiver."""

import logging

from airflow.sdk import Connection, Context
from airflow.sdk.exceptions import AirflowNotFoundException

CONNECTION = "vsearch_alert"
_SECONDS = 10

log = logging.getLogger(__name__)


def report_failure(context: Context) -> None:
    """Post `{"text": …}` to the connection `vsearch_alert`: the host is a URL, the password its secret last part.

    Chat services accept this form. Without the connection, only the log has the line. If an alert cannot be delivered,
    the log says so too, and nothing fails.
    """
    task, run = context["task_instance"], context["dag_run"]
    text = f"vsearch: {task.dag_id}.{task.task_id} failed after {task.try_number} tries in run {run.run_id}"
    log.error(text)
    try:
        receiver = Connection.get(CONNECTION)
    except AirflowNotFoundException:
        return
    import httpx  # heavy, and seldom needed

    url = "/".join(part for part in (str(receiver.host).rstrip("/"), receiver.password) if part)
    try:
        httpx.post(url, json={"text": text}, timeout=_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        # Without the text of the error, which has the URL and so the secret.
        log.error("the alert was not delivered to %s: %s", CONNECTION, type(error).__name__)
