"""MLflow records a training if the settings name a place, and a training without MLflow is as good."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from vsearch_lib.config import Settings, load_settings
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.figures import Figure
from vsearch_lib.models.registry import Card, Recipe
from vsearch_lib.models.tracking import track_training

CURVE = {"recall_at_start": 0.4, "epochs": ({"loss": 2.5, "recall": 0.5}, {"loss": 1.5, "recall": None})}
PREPROCESSING = Preprocessing(64, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
CARD = Card(
    "m2", Recipe("small", "none", 16, 64, "head"), PREPROCESSING, 16, {}, "s1", "r", {"curve": CURVE}, "m1", "0.1.0+abc"
)
FIGURES = [
    Figure("training_epochs", 2, subject="model m2"),
    Figure("training_loss", 1.5, subject="model m2", slice="last"),
]


def tracked(tmp_path: Path, uri: str, *overrides: str) -> tuple[Settings, list[str]]:
    settings = load_settings("demo", [f"var={tmp_path}", f"tracking.mlflow_uri={uri}", *overrides])
    said: list[str] = []
    track_training(settings, CARD, FIGURES, say=said.append)
    return settings, said


def test_a_training_is_in_the_file_store_with_its_curve_figures_and_tags(tmp_path, capfd):
    settings, said = tracked(tmp_path, "file:{var}/mlruns", "training.learning_rate=0.01")
    assert said == []
    assert (tmp_path / "mlruns").is_dir()
    assert tuple(capfd.readouterr()) == ("", "")
    from mlflow import MlflowClient

    client = MlflowClient(settings.tracking.mlflow_uri)
    (run,) = client.search_runs([client.get_experiment_by_name("vsearch").experiment_id])
    assert (run.info.status, run.info.run_name) == ("FINISHED", "m2")
    named = {name: run.data.tags[name] for name in ("model_version", "snapshot", "code_version")}
    assert named == {"model_version": "m2", "snapshot": "s1", "code_version": "0.1.0+abc"}
    params = run.data.params
    assert (params["training.depth"], params["training.learning_rate"]) == ("head", "0.01")
    assert (params["training.seed"], params["model.input_size"]) == ("17", "null")
    finals = {"training_epochs": 2, "training_loss_last": 1.5}
    assert run.data.metrics == {"loss": 1.5, "recall": 0.5, **finals}

    def curve(metric: str) -> list[tuple[int, float]]:
        return [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, metric)]

    assert curve("loss") == [(1, 2.5), (2, 1.5)]
    assert curve("recall") == [(0, 0.4), (1, 0.5)]
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_each_training_is_a_run_of_the_same_experiment(tmp_path):
    for _ in range(2):
        settings, _ = tracked(tmp_path, "file:{var}/mlruns")
    from mlflow import MlflowClient

    client = MlflowClient(settings.tracking.mlflow_uri)
    assert len(client.search_runs([client.get_experiment_by_name("vsearch").experiment_id])) == 2


def test_a_server_that_cannot_be_reached_costs_one_line_without_its_password(tmp_path, capfd):
    with socket.socket() as taken:  # nothing listens on its port
        taken.bind(("127.0.0.1", 0))
        _, said = tracked(tmp_path, f"http://ann:secret@127.0.0.1:{taken.getsockname()[1]}")
    (line,) = said
    assert line.startswith("model m2 is registered, but MLflow did not record its training (tracking.mlflow_uri): ")
    assert "127.0.0.1" in line
    assert "secret" not in line
    assert tuple(capfd.readouterr()) == ("", "")


def test_a_folder_that_cannot_be_written_costs_one_line(tmp_path):
    (tmp_path / "mlruns").write_text("a file")
    _, (line,) = tracked(tmp_path, "file:{var}/mlruns")
    assert line.startswith("model m2 is registered, but MLflow did not record")
    assert "\n" not in line


def test_a_training_that_is_not_tracked_does_not_import_mlflow(tmp_path):
    code = f"""
import sys
from tests.models.test_tracking import CARD, FIGURES
from vsearch_lib.config import load_settings
from vsearch_lib.models.tracking import track_training
track_training(load_settings("demo", ["var={tmp_path}"]), CARD, FIGURES, say=print)
sys.exit("mlflow" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
