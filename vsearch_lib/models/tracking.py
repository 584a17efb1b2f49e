"""Records a training with MLflow if the settings name a place for it: parameters, the curve, final figures, tags."""

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vsearch_lib.config import Settings
from vsearch_lib.figures import ALL, Figure
from vsearch_lib.models.registry import Card

EXPERIMENT = "vsearch"

# A server that does not answer must not hold a night up: MLflow would try for minutes.
_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds
    # MLflow keeps its file store as it is, and asks everybody who uses it to agree to that.
    "MLFLOW_ALLOW_FILE_STORE": "true",
}


def track_training(settings: Settings, card: Card, figures: Sequence[Figure], *, say: Callable[[str], None]) -> None:
    """Record the training of a registered model with MLflow, unless `tracking.mlflow_uri` is null.

    If MLflow cannot record it, `say` gets one line, and the model is as good as with it.

    Args:
        settings: their sections `model` and `training` are recorded as the parameters.
        card: of the model; its curve is recorded by epoch, from 0, the start.
        figures: of the training.
        say: called with one line if MLflow cannot record.
    """
    uri = settings.tracking.mlflow_uri
    if uri is None:
        return
    sections = {"model": settings.model, "training": settings.training}
    params = {f"{name}.{key}": value for name, section in sections.items() for key, value in section}
    try:
        _record(uri, card, params | {"training.depth": card.recipe.training}, figures)
    except Exception as error:  # MLflow and its stores raise errors of many kinds
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        line = re.sub(r"//[^/\s]*@", "//", line)  # a password in the URI
        say(f"model {card.version} is registered, but MLflow did not record its training (tracking.mlflow_uri): {line}")


def _record(uri: str, card: Card, params: Mapping[str, Any], figures: Sequence[Figure]) -> None:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    # MLflow reads some of these variables when it is imported, which takes seconds.
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    identity = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
    tags = {"model_version": card.version, "snapshot": card.training_snapshot, "code_version": card.code_version}
    known = {name: value for name, value in tags.items() if value is not None}
    run = client.create_run(identity, run_name=card.version, tags=known).info.run_id
    now = round(1000 * time.time())  # milliseconds
    client.log_batch(
        run,
        metrics=[Metric(name, value, now, epoch) for name, epoch, value in [*_curve(card), *_finals(figures)]],
        params=[Param(name, "null" if value is None else str(value)) for name, value in params.items()],
    )
    client.set_terminated(run)


def _curve(card: Card) -> list[tuple[str, int, float]]:
    """Return name, epoch and value of each point of the curve."""
    curve = card.training["curve"]
    recalls = [curve["recall_at_start"], *(epoch["recall"] for epoch in curve["epochs"])]
    losses = [("loss", number, epoch["loss"]) for number, epoch in enumerate(curve["epochs"], start=1)]
    return [*losses, *(("recall", number, value) for number, value in enumerate(recalls) if value is not None)]


def _finals(figures: Sequence[Figure]) -> list[tuple[str, int, float]]:
    return [
        ("_".join([figure.metric, *([] if figure.slice == ALL else [figure.slice])]), 0, figure.value)
        for figure in figures
    ]
