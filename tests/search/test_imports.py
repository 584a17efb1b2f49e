"""A reader of the published index is small: it needs no Java, no Spark and no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

from vsearch_lib.config import PROJECT
from vsearch_lib.publishing.publication import publish
from vsearch_lib.storage import open_store

# Searches with the first stored vector; prints its answers and the imported packages.
READER = """
import json, sys
from pathlib import Path
import numpy as np
from vsearch_lib.search.searcher import Searcher

searcher = Searcher.open(sys.argv[1], cache=Path(sys.argv[2]))
hits = searcher.search(searcher.vectors(np.array([0])), 3)
found = [fact["image_id"] for fact in searcher.describe(hits.ids[0])]
print(json.dumps([found, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def test_a_process_that_searches_a_published_index_imports_neither_spark_nor_torch(small_index, store_uri, tmp_path):
    content = small_index.catalogue(rows=20, dimension=4)
    first = small_index.build(store_uri, content, factory="IVF2,PQ4x4np", shards=2, nprobe=2)
    moved = small_index.chosen(content, [9])
    for manifest in (first, small_index.build_delta(store_uri, first, moved, version="v2", dead=1)):
        publish(open_store(store_uri), manifest, now=datetime(2026, 3, 1, tzinfo=UTC))
    command = [sys.executable, "-c", READER, store_uri, str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stderr
    found, imported = json.loads(done.stdout)
    assert found[0] == "image-00000"
    assert len(found) == 3
    assert "faiss" in imported
    assert set(imported) & {"pyspark", "delta", "py4j", "torch"} == set()
