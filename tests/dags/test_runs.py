"""The DAGs as Airflow runs them, from a small landed catalogue to a published index."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


def test_runs_publish_an_index_of_a_landed_catalogue_and_report_what_they_wrote(
    database: None, dags: dict[str, Any], asset_events: Callable[[Any], dict[str, dict[str, Any]]], tmp_path: Path
) -> None:
    vsearch = PROJECT / ".venv" / "bin" / "vsearch"
    subprocess.run([vsearch, "demo-data", tmp_path / "landing", "--images", "60", "--seed", "3"], check=True)
    # The number of bad uploads is fixed: in such a small catalogue they are more than a night may refuse.
    small = ["model.backbone=small", "model.weights=none", "training.epochs=1"]
    settings = [f"var={tmp_path}", *small, "quality.max_refused_share=0.2"]
    ingest = dags["ingest"].test(run_conf={"env": "demo", "date": "all", "settings": settings})
    retrain = dags["retrain"].test(run_conf={"env": "demo", "settings": settings})

    for run in (ingest, retrain):
        tasks = {task.task_id: task.state for task in run.get_task_instances()}
        assert tasks == dict.fromkeys(dags[run.dag_id].task_ids, "success")
    index = tmp_path / "index"
    pointer = json.loads((index / "CURRENT").read_text())
    manifest = json.loads((index / pointer["manifest"]).read_text())
    assert sum(shard["rows"] for shard in manifest["shards"]) > 0
    assert all((index / "files" / shard["codes"]["file"]).is_file() for shard in manifest["shards"])

    assets = asset_events(ingest) | asset_events(retrain)
    assert assets["vsearch/images"]["partition"] == "all"
    assert assets["vsearch/images"]["wrote"]["images"] >= 0
    assert assets["vsearch/images"]["figures"]["images_accepted[all]"] == 60
    assert assets["vsearch/index"]["made"] == {"index": pointer["version"]}
    assert manifest["tables"].items() >= {"images": assets["vsearch/images"]["wrote"]["images"]}.items()
