"""Reports to people, in the log and to a receiver: a task that has failed for good, or what a task found."""

import logging

from airflow.sdk import Connection, Context
from airflow.sdk.exceptions import AirflowNotFoundException

CONNECTION = "vsearch_alert"
ALERTS = "alerts"  # the XCom in which a task leaves its alerts, a list of lines
_SECONDS = 10

log = logging.getLogger(__name__)


def report_failure(context: Context) -> None:
    """Report a task that has failed for good, in one line."""
    task, run = context["task_instance"], context["dag_run"]
    _send(f"vsearch: {task.dag_id}.{task.task_id} failed after {task.try_number} tries in run {run.run_id}")


def report_alerts(context: Context) -> None:
    """Report what a successful task found that people should look at, in one message; nothing if there is nothing."""
    task, run = context["task_instance"], context["dag_run"]
    alerts = task.xcom_pull(task_ids=task.task_id, key=ALERTS)
    if alerts:
        lines = "".join(f"\n- {alert}" for alert in alerts)
        _send(f"vsearch: {task.dag_id}.{task.task_id} raised {len(alerts)} alerts in run {run.run_id}{lines}")


def _send(text: str) -> None:
    """Post `{"text": …}` to the connection `vsearch_alert`: the host is a URL, the password its secret last part.

    Chat services accept this form. Without the connection, only the log has the text. If an alert cannot be delivered,
    the log says so too, and nothing fails.
    """
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
