"""Each night the index follows the lake: by a delta, or by new shards if deletions, erasures or the gate require it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.support.small_model import SMALL
from vsearch_lib.artefact.content import digest, json_bytes
from vsearch_lib.artefact.manifest import decode
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.erasure.erase import erase
from vsearch_lib.errors import GateRefused
from vsearch_lib.index.step import build_index
from vsearch_lib.publishing.step import publish_index
from vsearch_lib.search.searcher import Searcher

EMBEDDING = "model_version string, image_id string, sha256 string, vector array<float>"
GONE = datetime(2024, 5, 7, tzinfo=UTC)


def vector(sha256: str) -> np.ndarray:
    """A unit vector of its own for every picture."""
    random = np.random.default_rng(int(sha256[:8], 16)).normal(size=128)
    return (random / np.linalg.norm(random)).astype(np.float32)


class Nights:
    """A catalogue, and the steps that follow its embedding; vectors are random, because the network has other tests."""

    def __init__(self, catalogue) -> None:
        self.catalogue = catalogue

    def embed(self) -> None:
        """Give every living image the vector of its picture."""
        lake = self.catalogue.lake
        living = lake.read("images").where("deleted_at IS NULL AND moderation != 'blocked'").collect()
        rows = [("m1", row["image_id"], row["sha256"], vector(row["sha256"]).tolist()) for row in living]
        lake.upsert("embeddings", lake.spark.createDataFrame(rows, EMBEDDING), when="new.sha256 != old.sha256")

    def build(self, *overrides: str, compact: bool = False) -> list[str]:
        """Build and publish; return the lines that the steps printed."""
        self.embed()
        small = ("index.shards=2", "gate.queries=20", "quality.max_refused_share=0.9")
        settings = load_settings("demo", [f"var={self.catalogue.settings.var}", *SMALL, *small, *overrides])
        lake = self.catalogue.lake
        lines: list[str] = []
        job = StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=lines.append)
        build_index(job, compact=compact)
        publish_index(job)
        return lines

    @property
    def index(self) -> Path:
        return Path(self.catalogue.settings.index.uri)

    @property
    def searcher(self) -> Searcher:
        return Searcher.open(str(self.index), cache=Path("unused"))

    def answered(self) -> set[str]:
        """Every image that a search can return."""
        searcher = self.searcher
        rows = searcher.rows["image_id"].to_pylist()
        found = [rows[row] for row in searcher.visible_ids()]
        assert len(found) == len(set(found)), "an image is there twice"
        everything = searcher.search(np.eye(128, dtype=np.float32), 10_000)
        assert {rows[row] for row in everything.ids.ravel() if row >= 0} <= set(found)
        return set(found)

    def hashes(self) -> dict[str, str]:
        return {row["image_id"]: row["sha256"] for row in self.catalogue.lake.read("images").collect()}

    def files(self) -> set[str]:
        return {file.name for file in (self.index / "files").iterdir()}


@pytest.fixture
def nights(catalogue, draw) -> Nights:
    catalogue.land({f"image-{seed:03d}": draw(seed) for seed in range(60)})
    return Nights(catalogue)


def test_a_delta_brings_new_changed_and_deleted_images_to_searchers(nights, draw):
    built, _ = nights.build()
    assert built == "build_index: full, nothing is published yet"
    first = nights.searcher.manifest
    assert first.kind == "full"
    assert nights.answered() == {f"image-{seed:03d}" for seed in range(60)}
    before = nights.files()

    assert nights.build() == [
        "build_index: the served index is up to date with the tables; nothing to build",
        "publish_index: this run built no version; the served version stays",
    ]

    hashes = nights.hashes()
    nights.catalogue.land({"new": draw(100), "image-001": draw(101)})
    nights.catalogue.images({"image-002": hashes["image-002"]}, tags=["other"])
    nights.catalogue.images({"image-003": hashes["image-003"]}, deleted_at=GONE)
    nights.catalogue.images({"image-004": hashes["image-004"]}, moderation="blocked")
    nights.catalogue.images({"image-005": hashes["image-005"]}, visibility="private")
    built, _ = nights.build()
    assert built == f"build_index: delta, on {first.version}"
    second = nights.searcher.manifest
    assert (second.parent, second.shards, second.template) == (
        first.version,
        first.shards,
        first.template,
    )
    assert sum(delta.rows for delta in second.deltas) == 4
    assert second.counts["dead"] == 5
    living = {f"image-{seed:03d}" for seed in range(60)} - {"image-003", "image-004", "image-005"} | {"new"}
    assert nights.answered() == living
    added = nights.files() - before
    assert {name.split("-", 1)[1] for name in added} == {"codes.faiss", "rows.arrow", "vectors.f16", "tombstones.arrow"}

    # A deleted image comes back, and one with a tombstone gets a second one: only its last row is living.
    nights.catalogue.images({"image-003": hashes["image-003"]})
    nights.catalogue.land({"image-001": draw(102)})
    nights.build()
    assert nights.answered() == living | {"image-003"}
    searcher = nights.searcher
    rows = {searcher.describe(np.array([row]))[0]["image_id"]: row for row in searcher.visible_ids()}
    stored = searcher.vectors(np.array([rows["image-001"]]))[0]
    np.testing.assert_allclose(stored, vector(nights.hashes()["image-001"]), atol=1e-3)

    # Folded in: the same answers, no deltas, the same template.
    built, _ = nights.build(compact=True)
    assert built == "build_index: compacted, asked for"
    third = nights.searcher.manifest
    assert (third.kind, third.deltas, third.tombstones) == ("compacted", (), ())
    assert third.template == first.template
    assert nights.answered() == living | {"image-003"}


def test_after_the_deletion_of_all_images_nothing_is_found(nights):
    nights.build()
    hashes = nights.hashes()
    nights.catalogue.images(hashes, deleted_at=GONE)
    nights.build()
    assert nights.answered() == set()
    nights.build(compact=True)
    assert nights.answered() == set()
    assert nights.searcher.manifest.shards == ()
    nights.catalogue.images({"image-007": hashes["image-007"]})
    nights.build()
    assert nights.answered() == {"image-007"}


def test_an_erased_image_is_in_no_file_of_the_next_version(nights):
    nights.build()
    erase(nights.catalogue.lake, "image", "image-010")
    built, _ = nights.build()
    assert built.startswith("build_index: compacted, what was erased")
    manifest = nights.searcher.manifest
    assert "image-010" not in nights.searcher.rows["image_id"].to_pylist()
    named = [shard.rows_file.file for shard in manifest.shards] + [manifest.template_sample.file]
    assert not [name for name in named if b"image-010" in (nights.index / "files" / name).read_bytes()]
    assert manifest.tombstones == ()


def test_after_a_refusal_the_next_build_makes_a_new_template(nights, draw):
    nights.build("index.factory=IVF4,PQ8x4np")
    served = nights.searcher.manifest
    nights.catalogue.land({"new": draw(100)})
    narrow = ("index.factory=IVF4,PQ8x4np", "index.nprobe=1", "index.shortlist=1")
    with pytest.raises(GateRefused, match=r"recall@10 .* below"):
        nights.build(*narrow, "gate.min_recall_at_10=1")
    assert nights.searcher.manifest == served
    built, _ = nights.build(*narrow, "gate.min_recall_at_10=0")
    assert built == "build_index: full, the gate refused what was built from the served template"


def test_after_a_refusal_a_wider_search_needs_no_new_template(nights, draw):
    nights.build("index.factory=IVF4,PQ8x4np")
    served = nights.searcher.manifest
    nights.catalogue.land({"newest": draw(100)})
    with pytest.raises(GateRefused, match=r"recall@10 .* below"):
        nights.build("index.factory=IVF4,PQ8x4np", "index.nprobe=1", "index.shortlist=1", "gate.min_recall_at_10=1")
    built, _ = nights.build("index.factory=IVF4,PQ8x4np")
    assert built == f"build_index: delta, on {served.version}"


def test_two_builds_from_the_same_tables_are_the_same_bytes(nights, tmp_path):
    nights.build()
    first = nights.searcher.manifest
    nights.build(f"index.uri={tmp_path / 'again'}")
    again = json.loads((tmp_path / "again" / "CURRENT").read_text())
    second = decode((tmp_path / "again" / again["manifest"]).read_bytes(), "again")
    for part in ("template", "template_sample", "shards", "gate", "measures", "tables", "counts"):
        assert getattr(first, part) == getattr(second, part), part


def test_without_the_history_of_the_tables_all_shards_are_written_again(nights, draw):
    nights.build()
    nights.catalogue.land({"new": draw(100)})
    built, _ = nights.build("maintenance.retention_hours=1", "maintenance.longest_reader_hours=1")
    assert built.startswith("build_index: delta")
    path = nights.index / "CURRENT"
    pointer = json.loads(path.read_text())
    manifest = nights.index / pointer["manifest"]
    fields = json.loads(manifest.read_text())
    fields["table_ids"]["images"] = "an earlier table"
    manifest.write_bytes(json_bytes(fields))
    path.write_bytes(json_bytes({**pointer, "manifest_sha256": digest(json_bytes(fields))}))
    nights.catalogue.land({"newer": draw(101)})
    built, _ = nights.build()
    assert built.startswith("build_index: compacted, what was erased or changed since")
    assert {"new", "newer"} <= nights.answered()


def test_an_index_in_a_bucket_is_built_published_and_searched_there(nights, draw, bucket, spark, tmp_path, monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ALLOW_HTTP"):
        # Spark's workers were started before the server.
        monkeypatch.setitem(spark.sparkContext.environment, name, os.environ[name])
    uri = f"{bucket}/{tmp_path.name}"
    chosen = (f"index.uri={uri}", f"cache={tmp_path / 'cache'}")
    nights.build(*chosen)
    nights.catalogue.land({"new": draw(100)})
    built, _ = nights.build(*chosen)
    assert built.startswith("build_index: delta")
    searcher = Searcher.open(uri, cache=tmp_path / "cache")
    names = searcher.rows["image_id"].to_pylist()
    (found,) = searcher.search(vector(nights.hashes()["new"])[None], 1).ids[0]
    assert names[found] == "new"
    assert len(searcher.visible_ids()) == 61
