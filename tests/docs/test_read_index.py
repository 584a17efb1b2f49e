"""`docs/read_index.py` reads a published index without any of our code."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from vsearch_lib.publishing.publication import publish
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

NO_CACHE = Path("unused")  # files of a local folder are opened where they lie

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "read_index.py"


FACTORIES = ["IVF8,PQ8x4np", "OPQ2,IVF4,PQ2x4np"]


@pytest.fixture(scope="module")
def contents(small_index):
    """A catalogue; every fifth image of it after a change; and a few of these after a second change."""
    base, other, third = (small_index.catalogue(seed=seed) for seed in (3, 4, 5))
    return base, small_index.chosen(other, range(0, 600, 5)), small_index.chosen(third, range(0, 600, 30))


@pytest.fixture(scope="module", params=FACTORIES)
def index_folder(request, small_index, contents, tmp_path_factory):
    """Version v1 and two nights after it; the second night removes every eleventh image.

    A shard and the first night's delta are from before rows had a source_uri.
    """
    folder = tmp_path_factory.mktemp("index")
    base, changed, again = contents
    built = small_index.build(folder, base, factory=request.param)
    old = small_index.without_source_uri(folder, built.shards[0])
    manifests = [replace(built, shards=(old, *built.shards[1:]))]
    night = small_index.build_delta(folder, manifests[-1], changed, version="v2", shards=2)
    manifests.append(
        replace(night, deltas=(small_index.without_source_uri(folder, night.deltas[0]), *night.deltas[1:]))
    )
    manifests.append(small_index.build_delta(folder, manifests[-1], again, gone=base.ids[7::11], version="v3"))
    for manifest in manifests:
        publish(open_store(str(folder)), manifest, now=datetime(2026, 3, 1, tzinfo=UTC))
    return folder


def read_index(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), *arguments], capture_output=True, text=True, check=False, cwd="/"
    )


@pytest.mark.parametrize("row", [7, 660, 735])  # a dead row of a shard, a dead row of a delta, a living row
def test_the_script_answers_like_exact_search_and_like_the_searcher(index_folder, small_index, contents, row):
    k = 12
    ran = read_index(index_folder, str(row), str(k))
    assert ran.returncode == 0, ran.stderr
    answers = [line.split() for line in ran.stdout.splitlines()]

    rows = small_index.joined(*contents)
    last = {image: i for i, image in enumerate(rows.ids)}  # the last row of an image lives, unless the image is gone
    gone = set(contents[0].ids[7::11]) - set(contents[2].ids)
    living = np.array([last[image] == i and image not in gone for i, image in enumerate(rows.ids)])
    cosines = np.where(small_index.visible(rows) & living, rows.vectors @ rows.vectors[row], -np.inf)
    best = np.argsort(-cosines, kind="stable")[:k]
    assert [image for image, _ in answers] == [rows.ids[i] for i in best]
    np.testing.assert_allclose([float(cosine) for _, cosine in answers], cosines[best], atol=1e-5)

    searcher = Searcher.open(str(index_folder), cache=NO_CACHE)
    hits = searcher.search(rows.vectors[[row]], k)
    assert hits.ids[0].tolist() == best.tolist()


@pytest.mark.parametrize("index_folder", FACTORIES[:1], indirect=True)
def test_a_flipped_byte_or_a_missing_file_is_reported_in_one_line(index_folder, tmp_path):
    index_folder = Path(shutil.copytree(index_folder, tmp_path / "index"))
    manifest = json.loads((index_folder / "manifests" / "v3.json").read_text())
    last = manifest["deltas"][-1]
    entries = [manifest["template"], manifest["template_sample"], last["codes"], last["rows_file"], last["vectors"]]
    files = [index_folder / "files" / entry["file"] for entry in (*entries, manifest["tombstones"][0])]
    for path in [index_folder / "manifests" / "v3.json", *files]:
        content = path.read_bytes()
        path.write_bytes(content[:-40] + bytes([content[-40] ^ 1]) + content[-39:])
        assert error_lines(index_folder) == [f"{path}: sha256 differs"]
        path.write_bytes(content)
    for path in (files[-1], index_folder / "manifests" / "v3.json", index_folder / "CURRENT"):
        path.unlink()
        assert error_lines(index_folder) == [f"{path}: No such file or directory"]


def error_lines(folder: Path) -> list[str]:
    """The lines that the script prints when it fails."""
    ran = read_index(folder, "0")
    assert ran.returncode == 1
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def test_the_script_imports_nothing_of_ours():
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text()))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported == {"faiss", "hashlib", "json", "numpy", "pyarrow", "sys"}
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(ast.parse(SCRIPT.read_text())))
