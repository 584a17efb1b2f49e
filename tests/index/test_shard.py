"""A shard is three files in one row order; they do not depend on how often or in which batches it is written."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.manifest import Shard
from vsearch_lib.artefact.rows import ROWS
from vsearch_lib.index import shard as shards_module
from vsearch_lib.index.placement import in_shards
from vsearch_lib.index.shard import Slot, slots, store_file, write_shards
from vsearch_lib.index.template import train_template
from vsearch_lib.storage import open_store

N, DIMENSION, SHARDS = 200, 8, 3


@pytest.fixture(scope="module")
def content(small_index):
    return small_index.catalogue(rows=N, dimension=DIMENSION)


@pytest.fixture(scope="module")
def template(content) -> bytes:
    return train_template(content.vectors, "IVF4,PQ4x4np")


@pytest.fixture(scope="module")
def table(spark, small_index, content):
    """The catalogue as the job joins it, out of order."""
    rows = [
        (
            content.ids[i],
            f"owner-{i % 5}",
            content.visibility[i],
            content.moderation[i],
            f"{i:016x}",
            small_index.DAY + timedelta(minutes=i),
            ["even" if i % 2 == 0 else "odd"],
            f"file:///pictures/{content.ids[i]}.jpg",
            content.vectors[i].tolist(),
        )
        for i in np.random.default_rng(2).permutation(N).tolist()
    ]
    columns = (
        "image_id string, owner_id string, visibility string, moderation string, phash string, uploaded_at timestamp, "
        "tags array<string>, source_uri string, vector array<float>"
    )
    return spark.createDataFrame(rows, columns).cache()


def stored_template(uri: Path, template: bytes):
    path = uri.parent / "template.faiss"
    path.write_bytes(template)
    return store_file(open_store(str(uri)), path)


def slots_of(placed) -> dict[int, Slot]:
    counts = {row["shard"]: row["count"] for row in placed.groupBy("shard").count().collect()}
    return slots(counts, name="shard", first_id=0)


def write(table, uri: Path, stored: StoredFile) -> tuple[Shard, ...]:
    placed = in_shards(table, SHARDS)
    return write_shards(placed, index_uri=str(uri), template=stored, slots=slots_of(placed))


@pytest.fixture(scope="module")
def written(table, template, tmp_path_factory):
    uri = tmp_path_factory.mktemp("written") / "index"
    return uri, write(table, uri, stored_template(uri, template))


def parts(uri: Path, entry: Shard) -> tuple[faiss.Index, pa.Table, np.ndarray]:
    files = uri / "files"
    rows = pa.ipc.open_file(files / entry.rows_file.file).read_all()
    vectors = np.fromfile(files / entry.vectors.file, dtype="<f2").reshape(-1, DIMENSION)
    return faiss.read_index(str(files / entry.codes.file)), rows, vectors


def test_row_ids_continue_without_gaps_from_shard_to_shard(written):
    _, entries = written
    assert len(entries) == SHARDS
    assert [entry.first_id for entry in entries] == list(np.cumsum([0, *(entry.rows for entry in entries[:-1])]))
    assert sum(entry.rows for entry in entries) == N
    assert [entry.name for entry in entries] == ["shard-00000", "shard-00001", "shard-00002"]


def test_rows_are_in_order_of_image_id_with_the_facts_of_the_image(written, content, small_index):
    uri, entries = written
    for entry in entries:
        _, rows, _ = parts(uri, entry)
        assert rows.schema.equals(ROWS)
        found = rows.to_pylist()
        assert [row["image_id"] for row in found] == sorted(row["image_id"] for row in found)
        for row in found:
            i = content.ids.index(row["image_id"])
            assert row == {
                "image_id": content.ids[i],
                "owner_id": f"owner-{i % 5}",
                "visibility": content.visibility[i],
                "moderation": content.moderation[i],
                "phash": f"{i:016x}",
                "uploaded_at": small_index.DAY + timedelta(minutes=i),
                "tags": ["even" if i % 2 == 0 else "odd"],
                "source_uri": f"file:///pictures/{content.ids[i]}.jpg",
            }


def test_every_image_is_in_the_shard_of_its_id(written, table):
    uri, entries = written
    expected = {row["image_id"]: row["shard"] for row in in_shards(table, SHARDS).collect()}
    found = {image: int(e.name[-5:]) for e in entries for image in parts(uri, e)[1]["image_id"].to_pylist()}
    assert found == expected


def test_vectors_and_codes_are_in_the_order_of_the_rows(written, content, template):
    uri, entries = written
    empty = faiss.deserialize_index(np.frombuffer(template, dtype=np.uint8))
    for entry in entries:
        codes, rows, vectors = parts(uri, entry)
        mine = content.vectors[[content.ids.index(image) for image in rows["image_id"].to_pylist()]]
        np.testing.assert_array_equal(vectors.astype(np.float32), mine)
        lists = faiss.extract_index_ivf(codes).invlists
        for number, vector in enumerate(mine):
            (nearest,) = empty.quantizer.search(vector[None], 1)[1][0]
            ids = faiss.rev_swig_ptr(lists.get_ids(int(nearest)), lists.list_size(int(nearest)))
            assert entry.first_id + number in ids


def test_merged_shards_answer_like_one_index_of_all_rows(written, content, template):
    uri, entries = written
    opened = [parts(uri, entry) for entry in entries]
    whole = faiss.deserialize_index(np.frombuffer(template, dtype=np.uint8))
    order = [image for _, rows, _ in opened for image in rows["image_id"].to_pylist()]
    whole.add(content.vectors[[content.ids.index(image) for image in order]])
    merged = opened[0][0]
    for codes, _, _ in opened[1:]:
        merged.merge_from(codes, 0)
    assert merged.ntotal == N
    for index in (whole, merged):
        index.nprobe = 2
    queries = content.vectors[:20]
    expected, found = whole.search(queries, 10), merged.search(queries, 10)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    # Rows with equal codes have equal scores and may come in any order: ids are compared only where scores differ.
    apart = np.ones_like(expected[0], dtype=bool)
    apart[:, 1:] &= np.diff(expected[0]) < -1e-6
    apart[:, :-1] &= np.diff(expected[0]) < -1e-6
    apart[:, -1] = False
    np.testing.assert_array_equal(found[1][apart], expected[1][apart])


def test_files_are_named_by_their_content(written):
    uri, entries = written
    for entry in entries:
        for file in entry.files:
            stored = (uri / "files" / file.file).read_bytes()
            assert hashlib.sha256(stored).hexdigest() == file.sha256 == file.file[:64]
            assert len(stored) == file.bytes


def test_writing_again_from_other_partitions_gives_the_same_files(written, table, template):
    uri, entries = written
    before = {file.name for file in (uri / "files").iterdir()}
    assert write(table.repartition(5, F.rand(1)), uri, stored_template(uri, template)) == entries
    assert {file.name for file in (uri / "files").iterdir()} == before


def test_one_task_writes_one_shard(spark, table):
    for shards in (1, 2, 3, 7, 16):
        placed = in_shards(table, shards).select("shard", F.spark_partition_id().alias("task")).distinct()
        found = {(row["shard"], row["task"]) for row in placed.collect()}
        assert found == {(shard, shard) for shard in range(shards)}


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_files_do_not_depend_on_the_size_of_the_batches_from_spark(
    small_index, content, template, tmp_path, monkeypatch, size
):
    # Tables have 50 rows: the batches are smaller, do not divide them, or are larger.
    monkeypatch.setattr(shards_module, "_ROWS_PER_BATCH", 50)
    entries = []
    for name, batches in {"one": [*small_index.batches(content, 0, N, N)], "cut": None}.items():
        empty = faiss.deserialize_index(np.frombuffer(template, dtype=np.uint8))
        batches = batches or small_index.batches(content, 0, N, size)
        folder = tmp_path / name
        folder.mkdir()
        entries.append(shards_module.write_shard(open_store(str(tmp_path)), folder, empty, iter(batches), Slot("s", 0)))
    assert entries[0] == entries[1]


@pytest.mark.parametrize("damage", ["flipped", "removed"])
def test_a_damaged_template_is_refused_and_no_shard_is_written(table, template, tmp_path, damage):
    uri = tmp_path / "index"
    stored = stored_template(uri, template)
    path = uri / "files" / stored.file
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(template[:-9] + bytes([template[-9] ^ 4]) + template[-8:])
    with pytest.raises(PySparkException, match="is missing" if damage == "removed" else "is corrupted"):
        write(table, uri, stored)
    assert [f.name for f in (uri / "files").iterdir() if f.name != stored.file] == []


def test_a_file_is_stored_once_under_the_sha256_of_its_content(tmp_path):
    store = open_store(str(tmp_path / "index"))
    path = tmp_path / "codes.faiss"
    path.write_bytes(b"abc")
    stored = store_file(store, path)
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert asdict(stored) == {"file": f"{known}-codes.faiss", "sha256": known, "bytes": 3}
    assert store_file(store, path) == stored
    assert store.list("files") == [stored.key] == [f"files/{stored.file}"]
