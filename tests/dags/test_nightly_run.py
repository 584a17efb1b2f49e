"""The nightly DAG as Airflow runs it, from a small landed catalogue to a published index."""

import json
import subprocess
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


def test_a_night_takes_a_landed_catalogue_to_a_published_index(database: None, nightly: Any, tmp_path: Path) -> None:
    vsearch = PROJECT / ".venv" / "bin" / "vsearch"
    subprocess.run([vsearch, "demo-data", tmp_path / "landing", "--images", "60", "--seed", "3"], check=True)
    # Bad uploads are a fixed few: of so small a catalogue they are more than a night may refuse.
    settings = [f"var={tmp_path}", "training.epochs=1", "quality.max_refused_share=0.2"]
    run = nightly.test(run_conf={"env": "demo", "date": "all", "settings": settings})

    assert {task.task_id: task.state for task in run.get_task_instances()} == dict.fromkeys(nightly.task_ids, "success")
    index = tmp_path / "index"
    manifest = json.loads((index / json.loads((index / "CURRENT").read_text())["manifest"]).read_text())
    assert sum(shard["rows"] for shard in manifest["shards"]) > 0
    assert all((index / "files" / shard["codes"]["file"]).is_file() for shard in manifest["shards"])
