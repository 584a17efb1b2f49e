"""The script in the documentation reads a published index without any of our code."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from vsearch_lib.index.publication import publish
from vsearch_lib.serving.searcher import Searcher
from vsearch_lib.storage import open_store

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "read_index.py"


@pytest.fixture(params=["IVF8,PQ8x4np", "OPQ8,IVF4,PQ8x4np"])
def index_folder(request, small_index, tmp_path):
    content = small_index.catalogue()
    manifest = small_index.build(tmp_path, content, factory=request.param)
    publish(open_store(str(tmp_path)), manifest, now=datetime(2026, 3, 1, tzinfo=UTC))
    return tmp_path


def read_index(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), *arguments], capture_output=True, text=True, check=False, cwd="/"
    )


def test_its_answers_are_those_of_exact_search_and_of_the_searcher(index_folder, small_index):
    content = small_index.catalogue()
    row, k = 30, 12
    ran = read_index(index_folder, str(row), str(k))
    assert ran.returncode == 0, ran.stderr
    answers = [line.split() for line in ran.stdout.splitlines()]

    cosines = np.where(small_index.visible(content), content.vectors @ content.vectors[row], -np.inf)
    best = np.argsort(-cosines, kind="stable")[:k]
    assert [image for image, _ in answers] == [content.ids[i] for i in best]
    np.testing.assert_allclose([float(cosine) for _, cosine in answers], cosines[best], atol=1e-5)

    searcher = Searcher.open(str(index_folder))
    hits = searcher.search(content.vectors[[row]], k)
    assert [image for image, _ in answers] == [fact["image_id"] for fact in searcher.describe(hits.ids[0])]


@pytest.mark.parametrize("index_folder", ["IVF8,PQ8x4np"], indirect=True)
def test_a_flipped_byte_in_any_file_is_refused_in_one_line(index_folder):
    manifest = json.loads((index_folder / "manifests" / "v1.json").read_text())
    last = manifest["shards"][-1]
    entries = [manifest["template"], last["codes"], last["rows_file"], last["vectors"]]
    for path in [index_folder / "manifests" / "v1.json", *(index_folder / "files" / e["file"] for e in entries)]:
        whole = path.read_bytes()
        path.write_bytes(whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:])
        ran = read_index(index_folder, "0")
        path.write_bytes(whole)
        assert ran.returncode != 0
        assert ran.stdout == ""
        assert ran.stderr.splitlines() == [f"{path}: sha256 differs"]


def test_it_imports_nothing_of_ours():
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text()))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported == {"faiss", "hashlib", "json", "numpy", "pyarrow", "sys"}
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(ast.parse(SCRIPT.read_text())))
