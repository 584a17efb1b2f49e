"""The DAGs as Airflow runs them, from a small landed catalogue to a published index."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(
    database: None, dags: dict[str, Any], asset_events: Callable[[Any], dict[str, dict[str, Any]]], tmp_path: Path
) -> Callable[..., dict[str, dict[str, Any]]]:
    """Land 60 images, and return a function that runs a DAG: all of its tasks succeed, and it returns their assets."""
    vsearch = PROJECT / ".venv" / "bin" / "vsearch"
    subprocess.run([vsearch, "demo-data", tmp_path / "landing", "--images", "60", "--seed", "3"], check=True)
    # The number of bad uploads is fixed: in such a small catalogue they are more than a night may refuse.
    small = ["model.backbone=small", "model.weights=none", "training.epochs=1"]
    settings = [f"var={tmp_path}", *small, "quality.max_refused_share=0.2"]

    def test(dag_id: str, **conf: str) -> dict[str, dict[str, Any]]:
        run = dags[dag_id].test(run_conf={"env": "demo", "settings": settings, **conf})
        tasks = {task.task_id: task.state for task in run.get_task_instances()}
        assert tasks == dict.fromkeys(dags[dag_id].task_ids, "success")
        return asset_events(run)

    return test


def test_a_run_ingests_a_landed_catalogue_and_reports_what_it_wrote(
    run: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    assets = run("ingest", date="all")
    assert assets["vsearch/images"]["partition"] == "all"
    assert assets["vsearch/images"]["wrote"]["images"] >= 0
    assert assets["vsearch/images"]["figures"]["images_accepted[all]"] == 60


@pytest.mark.slow
def test_runs_publish_an_index_of_a_landed_catalogue(
    run: Callable[..., dict[str, dict[str, Any]]], tmp_path: Path
) -> None:
    ingested = run("ingest", date="all")
    assets = run("retrain")
    index = tmp_path / "index"
    pointer = json.loads((index / "CURRENT").read_text())
    manifest = json.loads((index / pointer["manifest"]).read_text())
    assert sum(shard["rows"] for shard in manifest["shards"]) > 0
    assert all((index / "files" / shard["codes"]["file"]).is_file() for shard in manifest["shards"])
    assert assets["vsearch/index"]["made"] == {"index": pointer["version"]}
    assert manifest["tables"].items() >= {"images": ingested["vsearch/images"]["wrote"]["images"]}.items()
