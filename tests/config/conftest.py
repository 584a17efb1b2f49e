"""A configuration folder for these tests, so that they do not depend on the values in `conf/`."""

from pathlib import Path

import pytest
import yaml

from vsearch_lib.config import PROJECT


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write `conf/mine.yaml` over a copy of `conf/base.yaml`; return the function that writes another environment."""
    project = tmp_path / "project"
    folder = project / "conf"
    folder.mkdir(parents=True)
    (folder / "base.yaml").write_text((PROJECT / "conf" / "base.yaml").read_text())
    monkeypatch.setattr("vsearch_lib.config.load.CONF", folder)
    monkeypatch.setattr("vsearch_lib.config.load.PROJECT", project)

    def write(content, name: str = "mine") -> Path:
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        (folder / f"{name}.yaml").write_text(text)
        return project

    write({"image": {"size": 100}})
    return write
