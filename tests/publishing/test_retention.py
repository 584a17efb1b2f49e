"""Old versions are verified, served again, and deleted; a file that a kept version names is never deleted."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.artefact.content import digest
from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.manifest import Manifest, OperatingPoint, encode
from vsearch_lib.artefact.pointer import POINTER, manifest_key, read_pointer, versions
from vsearch_lib.errors import ArtefactError, PublishConflict, UsageError
from vsearch_lib.index.candidate import save_candidate
from vsearch_lib.index.shard import store_file
from vsearch_lib.publishing.publication import move_pointer, publish
from vsearch_lib.publishing.retention import collect, damages, known_version, roll_back
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(store_uri):
    return open_store(store_uri)


@pytest.fixture(scope="module")
def built(small_index, tmp_path_factory) -> tuple[Path, list[Manifest]]:
    """v1 … v4: a shard, and then three deltas."""
    folder = tmp_path_factory.mktemp("built")
    content = small_index.catalogue(rows=30, dimension=2)
    made = [small_index.build(folder, content, factory="IVF1,Flat", shards=1)]
    for name, rows in (("v2", [3, 4]), ("v3", [3]), ("v4", [9])):
        made.append(small_index.build_delta(folder, made[-1], small_index.chosen(content, rows), version=name))
    return folder, made


@pytest.fixture
def published(built, store) -> dict[str, Manifest]:
    """v4 is served."""
    folder, made = built
    for path in (folder / "files").iterdir():
        store.write(f"files/{path.name}", path)
    for manifest in made:
        publish(store, manifest, now=NOW)
    return {manifest.version: manifest for manifest in made}


def own_files(published: dict, version: str) -> list[StoredFile]:
    """Return the files that this version was the first to name: codes, rows, vectors, tombstones."""
    before = published[f"v{int(version[1:]) - 1}"]
    return [entry for entry in published[version].files if entry not in before.files]


def damage(store, entry: StoredFile, how: str) -> None:
    key = entry.key
    content = store.read(key)
    store.delete(key)
    if how != "missing":
        store.write_new(key, content[:-1] if how == "truncated" else content[:-1] + bytes([content[-1] ^ 1]))


# Verifying


def test_a_complete_version_has_no_damages(store, published):
    assert [damages(store, manifest) for manifest in published.values()] == [[], [], [], []]


@pytest.mark.parametrize("how", ["missing", "truncated", "flipped"])
def test_every_damaged_file_is_named_and_no_other(store, published, how):
    damaged = [
        published["v1"].template_sample,
        published["v1"].shards[0].rows_file,
        *own_files(published, "v3"),
    ]
    for entry in damaged:
        damage(store, entry, how)
    lines = damages(store, published["v4"])
    assert len(lines) == len(damaged) == 6
    for entry in damaged:
        (line,) = [line for line in lines if entry.file in line]
        assert line.startswith(f"{store.uri}/files/")
        assert ("is missing" if how == "missing" else "is corrupted") in line
    assert damages(store, published["v1"]) == lines[:2]


def test_a_version_is_found_by_its_name_and_the_served_one_without_a_name(store, published):
    assert known_version(store, None) == known_version(store, "v4") == published["v4"]
    assert known_version(store, "v2") == published["v2"]
    for unknown in ("v9", "", "../manifests/v1"):
        with pytest.raises(UsageError, match="has no version"):
            known_version(store, unknown)


def test_a_served_manifest_that_was_changed_after_publication_is_refused(store, published):
    store.delete(manifest_key("v4"))
    store.write_new(manifest_key("v4"), encode(replace(published["v4"], search=OperatingPoint(1, 1))))
    for name in (None, "v4"):
        with pytest.raises(ArtefactError, match="sha256 differs"):
            known_version(store, name)


# Rolling back


def test_a_rollback_serves_the_parent_or_the_named_version(store, published, tmp_path):
    for name, expected in ((None, "v3"), (None, "v2"), ("v4", "v4"), ("v1", "v1")):
        pointer = roll_back(store, name, now=NOW + HOUR)
        assert pointer == read_pointer(store)
        searcher = Searcher.open(store.uri, cache=tmp_path / "cache")
        assert searcher.manifest == published[expected]
        assert (pointer.version, pointer.published_at) == (expected, "2026-03-01T01:00:00+00:00")
    assert versions(store) == ["v1", "v2", "v3", "v4"]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("v4", UsageError, "v4 is served already"),
        ("v9", UsageError, "has no version v9; vsearch index list"),
        ("v3", ArtefactError, r"v3 cannot be served again: .*vectors\.f16 is missing"),
        (None, ArtefactError, r"v3 cannot be served again: .*vectors\.f16 is missing"),
        ("v2", ArtefactError, r"v2\.json is not a manifest"),
        ("v1", ArtefactError, r"v1\.json is the manifest of v3, not of v1"),
    ],
)
def test_a_version_that_cannot_be_served_is_refused_and_the_pointer_stays(store, published, name, error, message):
    damage(store, own_files(published, "v3")[2], "missing")
    for version, content in (("v2", b"{}"), ("v1", encode(published["v3"]))):
        store.delete(manifest_key(version))
        store.write_new(manifest_key(version), content)
    before = store.read(POINTER)
    with pytest.raises(error, match=message):
        roll_back(store, name, now=NOW)
    assert store.read(POINTER) == before


def test_a_rollback_without_an_earlier_version_is_refused(store, small_index):
    with pytest.raises(UsageError, match="nothing is published"):
        roll_back(store, None, now=NOW)
    content = small_index.catalogue(rows=20, dimension=2)
    publish(store, small_index.build(store.uri, content, factory="IVF1,Flat", shards=1), now=NOW)
    with pytest.raises(UsageError, match="has no parent to go back to"):
        roll_back(store, None, now=NOW)


def test_a_rollback_to_a_named_version_replaces_a_damaged_pointer(store, published):
    store.replace(POINTER, b"garbage", store.read_versioned(POINTER))
    with pytest.raises(ArtefactError, match="CURRENT is not a pointer"):
        roll_back(store, None, now=NOW)
    assert roll_back(store, "v3", now=NOW).version == read_pointer(store).version == "v3"


def test_a_publisher_that_is_faster_than_the_rollback_wins(store, published, small_index):
    newer = replace(published["v4"], version="v5", parent="v4")

    class Slow:
        def __getattr__(self, name: str):
            return getattr(store, name)

        def fetch(self, *arguments) -> Path:
            """Publish while the rollback verifies the files of v1."""
            publish(store, newer, now=NOW)
            return store.fetch(*arguments)

    with pytest.raises(PublishConflict):
        roll_back(Slow(), "v1", now=NOW)
    assert read_pointer(store).version == "v5"


# Collecting


def later(store) -> datetime:
    """Return a time at which everything stored so far is two days old."""
    return max(stored.modified_at for stored in store.describe("")) + 48 * HOUR


def test_the_canary_stays_complete_and_one_that_is_gone_keeps_nothing(store, published):
    assert collect(store, keep=1, unused_for=HOUR, now=later(store), canary="v1").versions == ["v2"]
    assert damages(store, published["v1"]) == []
    assert collect(store, keep=1, unused_for=HOUR, now=later(store), canary="v2").versions == ["v1"]


def test_the_served_version_its_parent_and_the_newest_stay_complete(store, published, tmp_path):
    roll_back(store, "v2", now=NOW)
    deleted = collect(store, keep=1, unused_for=47 * HOUR, now=later(store))
    assert deleted.versions == ["v3"]
    assert versions(store) == ["v1", "v2", "v4"]
    # v4 was built on v3 and names its files.
    assert deleted.files == deleted.bytes == 0
    for version in ("v1", "v2", "v4"):
        assert damages(store, published[version]) == []


def test_files_that_no_remaining_version_names_are_deleted(store, published):
    roll_back(store, "v1", now=NOW)
    store.delete(manifest_key("v4"))
    store.delete(manifest_key("v3"))
    unnamed = [*own_files(published, "v3"), *own_files(published, "v4")]
    deleted = collect(store, keep=1, unused_for=47 * HOUR, now=later(store))
    assert (deleted.versions, deleted.files, deleted.bytes) == ([], 8, sum(entry.bytes for entry in unnamed))
    assert store.list("files") == sorted(file.key for file in published["v2"].files)


def test_unnamed_files_younger_than_the_limit_stay(store, published):
    save_candidate(store, "run-5", published["v4"])
    roll_back(store, "v1", now=NOW)
    for version in ("v2", "v3", "v4"):
        store.delete(manifest_key(version))
    before = store.list("")
    young = collect(store, keep=1, unused_for=49 * HOUR, now=later(store))
    assert (young.files, store.list("")) == (0, before)
    old = collect(store, keep=1, unused_for=47 * HOUR, now=later(store))
    assert old.files == 12 + 1  # three deltas and tombstones, and the candidate
    assert store.list("candidates") == []


def test_without_a_pointer_or_the_served_manifest_nothing_is_deleted(store, published):
    store.delete(manifest_key("v4"))
    before = store.list("")
    with pytest.raises(ArtefactError, match=r"v4\.json is missing"):
        collect(store, keep=1, unused_for=HOUR, now=later(store))
    store.delete(POINTER)
    assert collect(store, keep=1, unused_for=HOUR, now=later(store)).files == 0
    assert store.list("") == sorted({*before} - {POINTER})


FILES = 6
one_version = st.tuples(st.sets(st.integers(0, FILES - 1)), st.none() | st.integers(0, 5))
ages = st.lists(st.sampled_from([0, 47, 48, 49, 100]), min_size=FILES, max_size=FILES)


@settings(deadline=None, max_examples=40)
@given(
    history=st.lists(one_version, min_size=1, max_size=6), served=st.integers(0, 5), keep=st.integers(1, 4), ages=ages
)
def test_after_any_history_kept_versions_are_complete_and_the_rest_is_deleted(small_index, history, served, keep, ages):
    """Versions name any of six files and have any parent, and any is served; a file is up to 100 hours old."""
    folder = Path(tempfile.mkdtemp())
    store = open_store(str(folder))
    entries = []
    for number, age in enumerate(ages):
        (folder / "content").write_text(str(number))
        entries.append(store_file(store, folder / "content"))
        moment = (NOW - age * HOUR).timestamp()
        os.utime(folder / "files" / entries[number].file, (moment, moment))
    for number, (named, parent) in enumerate(history):
        manifest = replace(
            small_index.manifest(entries[0], entries[0], [], version=f"v{number}"),
            tombstones=tuple(entries[i] for i in sorted(named)),
            parent=None if parent is None else f"v{parent}",
        )
        store.write_new(manifest_key(f"v{number}"), encode(manifest))
    served %= len(history)
    sha256 = digest(store.read(manifest_key(f"v{served}")))
    move_pointer(store, f"v{served}", sha256, expected=None, now=NOW)

    deleted = collect(store, keep=keep, unused_for=48 * HOUR, now=NOW)

    parent = history[served][1]
    kept = {number for number in range(len(history)) if number in (served, parent) or number >= len(history) - keep}
    named = {0} | set().union(*(history[number][0] for number in kept))
    stay = {number for number in range(FILES) if number in named or ages[number] <= 48}
    assert versions(store) == [f"v{number}" for number in sorted(kept)]
    assert deleted.versions == [f"v{number}" for number in range(len(history)) if number not in kept]
    assert store.list("files") == sorted(entries[number].key for number in stay)
    assert (deleted.files, deleted.bytes) == (FILES - len(stay), FILES - len(stay))  # a byte each
    assert read_pointer(store).version == f"v{served}"
    shutil.rmtree(folder)
