"""Searching continues while versions change, and a damaged version is never searched."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from vsearch_lib.artefact.content import json_bytes
from vsearch_lib.artefact.manifest import Manifest
from vsearch_lib.artefact.pointer import POINTER, manifest_key
from vsearch_lib.errors import ArtefactError
from vsearch_lib.publishing.publication import publish
from vsearch_lib.publishing.retention import roll_back
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.serving.live import LiveIndex
from vsearch_lib.storage import open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NO_CACHE = Path("unused")  # files of a local folder are opened in place


class Nights:
    """An index that changes: v1 is served; v2 has a delta with new vectors of a third of the images; v3 merges it."""

    def __init__(self, small_index, uri: str, *, rows: int = 30, dimension: int = 2) -> None:
        self.store = open_store(uri)
        base = small_index.catalogue(rows=rows, dimension=dimension)
        moved = small_index.chosen(small_index.catalogue(rows=rows, dimension=dimension, seed=4), range(0, rows, 3))
        both = small_index.joined(base, moved)
        last = sorted({image: row for row, image in enumerate(both.ids)}.values())
        layout = {"factory": "IVF1,Flat", "shards": 2}
        self.manifests = {"v1": small_index.build(uri, base, version="v1", **layout)}
        self.manifests["v2"] = small_index.build_delta(uri, self.manifests["v1"], moved, version="v2")
        folded = small_index.build(uri, small_index.chosen(both, last), version="v3", **layout)
        self.manifests["v3"] = replace(folded, parent="v2", kind="compacted")
        self.query = base.vectors[:1]
        living = {"v1": base, "v2": small_index.chosen(both, last), "v3": small_index.chosen(both, last)}
        self.answers = {version: self.best(small_index, content) for version, content in living.items()}
        publish(self.store, self.manifests["v1"], now=NOW)

    def best(self, small_index, content) -> list[str]:
        rows = np.flatnonzero(small_index.visible(content))
        order = np.argsort(-(content.vectors[rows] @ self.query[0]), kind="stable")[:10]
        return [content.ids[row] for row in rows[order]]

    def publish(self, version: str) -> None:
        publish(self.store, self.manifests[version], now=NOW)

    def answer(self, searcher: Searcher) -> list[str]:
        found = searcher.search(self.query, 10).ids[0]
        return [fact["image_id"] for fact in searcher.describe(found[found >= 0])]

    def check(self, live: LiveIndex, version: str) -> None:
        """Assert that `live` searches this version, and all of it."""
        assert live.version == version
        assert live.searcher.manifest == self.manifests[version]
        assert self.answer(live.searcher) == self.answers[version]


@pytest.fixture
def nights(small_index, store_uri) -> Nights:
    made = Nights(small_index, store_uri)
    assert made.answers["v1"] != made.answers["v2"]
    return made


def test_a_refresh_opens_a_new_version_and_an_old_one_after_a_rollback(nights, tmp_path):
    live = LiveIndex(nights.store.uri, cache=tmp_path / "cache")
    nights.check(live, "v1")
    assert live.refresh() is False
    for version in ("v2", "v3"):
        nights.publish(version)
        nights.check(live, live.version)
        assert live.refresh() is True
        assert live.refresh() is False
        nights.check(live, version)
    for version in ("v1", "v3", "v2"):
        roll_back(nights.store, version, now=NOW)
        assert live.refresh() is True
        nights.check(live, version)


def test_threads_search_while_versions_change_and_no_answer_mixes_two_versions(small_index, tmp_path):
    nights = Nights(small_index, str(tmp_path), rows=3000, dimension=16)
    live = LiveIndex(str(tmp_path), cache=NO_CACHE)
    nights.publish("v2")
    nights.publish("v3")
    stop = threading.Event()

    def search(_: int) -> set[str]:
        seen = set()
        while not stop.is_set():
            searcher = live.searcher
            seen.add(searcher.manifest.version)
            assert nights.answer(searcher) == nights.answers[searcher.manifest.version]
        return seen

    with ThreadPoolExecutor(4) as threads:
        searches = threads.map(search, range(4))
        try:
            for version in ["v2", "v1", "v3"] * 8:
                roll_back(nights.store, version, now=NOW)
                assert live.refresh() is True
        finally:
            stop.set()
        assert set().union(*searches) == {"v1", "v2", "v3"}


def test_shards_that_both_versions_name_are_not_opened_again(nights, tmp_path):
    live = LiveIndex(nights.store.uri, cache=tmp_path / "cache")
    before = dict(live.searcher._shards)
    for shard in nights.manifests["v1"].shards:
        for file in shard.files:
            nights.store.delete(file.key)
            (tmp_path / "cache" / file.file).unlink(missing_ok=True)
    nights.publish("v2")
    assert live.refresh() is True
    nights.check(live, "v2")
    after = live.searcher._shards
    assert list(after) == ["shard-00000", "shard-00001", "delta-v2-00000"]
    assert all(after[name] is shard for name, shard in before.items())


def test_a_shard_of_the_same_name_with_other_files_is_opened_again(nights, tmp_path):
    live = LiveIndex(nights.store.uri, cache=tmp_path / "cache")
    before = live.searcher._shards
    nights.publish("v2")
    nights.publish("v3")
    assert live.refresh() is True
    assert list(live.searcher._shards) == list(before)
    assert all(live.searcher._shards[name] is not shard for name, shard in before.items())
    nights.check(live, "v3")


def test_without_a_pointer_the_open_version_is_still_searched(nights, tmp_path):
    live = LiveIndex(nights.store.uri, cache=tmp_path / "cache")
    nights.store.delete(POINTER)
    with pytest.raises(ArtefactError, match="no longer names a version; v1 is still searched"):
        live.refresh()
    nights.check(live, "v1")
    with pytest.raises(ArtefactError, match="nothing is published"):
        LiveIndex(nights.store.uri, cache=tmp_path / "cache")


# A new version is published and damaged: the open version is still searched.


@pytest.fixture(scope="module")
def damaged(small_index, tmp_path_factory) -> Nights:
    """v2 is served, built on v1; the index is very small, so that every byte can be flipped."""
    nights = Nights(small_index, str(tmp_path_factory.mktemp("damaged")), rows=6, dimension=2)
    nights.publish("v2")
    return nights


@pytest.fixture
def searched(damaged) -> LiveIndex:
    """A live index that was opened when v1 was served."""
    live = LiveIndex(damaged.store.uri, cache=NO_CACHE)
    live.searcher = Searcher(damaged.store, damaged.manifests["v1"], cache=NO_CACHE)
    damaged.check(live, "v1")
    return live


def read_anew(manifest: Manifest) -> list[str]:
    """Return the files of v2 that are read by a process that has v1 open."""
    (delta,) = manifest.deltas
    return [file.key for file in (manifest.template, manifest.template_sample, *delta.files, *manifest.tombstones)]


@pytest.mark.parametrize("which", range(8))
def test_each_flipped_truncated_or_removed_file_is_named(damaged, searched, which):
    key = [POINTER, manifest_key("v2"), *read_anew(damaged.manifests["v2"])][which]
    path = Path(damaged.store.uri) / key
    whole = path.read_bytes()
    size = len(whole)
    damages = [whole[:i] + bytes([whole[i] ^ 128]) + whole[i + 1 :] for i in (0, size // 2, size - 1)]
    damages += [whole[:cut] for cut in (0, 1, size // 2, size - 1 - (key == POINTER))]  # CURRENT ends with a newline
    try:
        for content in [*damages, None]:
            path.unlink() if content is None else path.write_bytes(content)
            with pytest.raises(ArtefactError) as refused:
                searched.refresh()
            assert "\n" not in str(refused.value)
            assert path.name in str(refused.value) or (key == POINTER and content is None)
            damaged.check(searched, "v1")
    finally:
        path.write_bytes(whole)
    assert searched.refresh() is True
    damaged.check(searched, "v2")


def flipped(path: Path) -> Iterator[int]:
    """Flip a bit of each byte of a file in turn, in place; yield the byte's index. At the end the file is restored."""
    whole = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        try:
            for i, byte in enumerate(whole):
                file.seek(0)
                file.write(whole[:i] + bytes([byte ^ 1 << i % 8]) + whole[i + 1 :])
                yield i
        finally:
            file.seek(0)
            file.write(whole)


def test_a_flipped_byte_in_any_file_of_a_new_version_is_refused(damaged, searched):
    """Files are opened as in a refresh, except that the manifest is not read again each time."""
    manifest, folder = damaged.manifests["v2"], Path(damaged.store.uri)
    for _ in flipped(folder / manifest_key("v2")):
        with pytest.raises(ArtefactError):
            searched.refresh()
    for key in read_anew(manifest):
        for _ in flipped(folder / key):
            with pytest.raises(ArtefactError, match=Path(key).name):
                Searcher(damaged.store, manifest, cache=NO_CACHE, before=searched.searcher)
    damaged.check(searched, "v1")
    assert searched.refresh() is True
    damaged.check(searched, "v2")


def test_a_flipped_byte_of_the_pointer_is_refused_or_does_not_change_the_version(damaged, searched):
    """Only published_at, publish_id and white space may change; a refresh opens v2 or nothing."""
    path, before = Path(damaged.store.uri) / POINTER, searched.searcher
    whole = path.read_bytes()
    harmless = {i for i, byte in enumerate(whole) if byte in b" \n"}
    for name in ("published_at", "publish_id"):
        value = json.loads(whole)[name].encode()
        harmless |= set(range(whole.index(value), whole.index(value) + len(value)))
    for i in flipped(path):
        try:
            searched.refresh()
        except ArtefactError:
            damaged.check(searched, "v1")
        else:
            assert i in harmless
            damaged.check(searched, "v2")
        searched.searcher = before


@pytest.mark.parametrize("field", ["version", "manifest", "manifest_sha256"])
def test_a_pointer_that_mixes_two_versions_is_refused(damaged, searched, field):
    """It is valid JSON, but one field is of another version."""
    path = Path(damaged.store.uri) / POINTER
    whole = path.read_bytes()
    other = {"version": "v0", "manifest": manifest_key("v1"), "manifest_sha256": "0" * 64}
    path.write_bytes(json_bytes({**json.loads(whole), field: other[field]}))
    try:
        with pytest.raises(ArtefactError):
            searched.refresh()
        damaged.check(searched, "v1")
    finally:
        path.write_bytes(whole)


# The cache of files in a bucket.


@pytest.mark.parametrize("store_uri", ["bucket"], indirect=True)
def test_a_file_is_copied_once_and_copies_that_no_version_names_are_deleted(nights, tmp_path):
    cache = tmp_path / "cache"
    live = LiveIndex(nights.store.uri, cache=cache)
    for version, before in (("v2", "v1"), ("v3", "v2"), ("v1", "v3")):
        nights.publish(version) if version > before else roll_back(nights.store, version, now=NOW)
        assert live.refresh() is True
        named = {stored.file for name in (version, before) for stored in nights.manifests[name].files}
        assert {copy.name for copy in cache.iterdir()} == named
    for key in nights.store.list("files"):
        nights.store.delete(key)
    nights.check(LiveIndex(nights.store.uri, cache=cache), "v1")


@pytest.mark.parametrize("store_uri", ["bucket"], indirect=True)
@pytest.mark.parametrize("damage", [b"", b"other bytes"])
def test_a_damaged_copy_is_fetched_again(nights, tmp_path, damage):
    cache = tmp_path / "cache"
    LiveIndex(nights.store.uri, cache=cache)
    whole = {copy.name: copy.read_bytes() for copy in cache.iterdir()}
    for copy in cache.iterdir():
        copy.unlink()
        copy.write_bytes(damage)
    nights.check(LiveIndex(nights.store.uri, cache=cache), "v1")
    assert {copy.name: copy.read_bytes() for copy in cache.iterdir()} == whole
    for key in nights.store.list("files"):
        nights.store.delete(key)
    (cache / nights.manifests["v1"].template.file).write_bytes(damage)
    with pytest.raises(ArtefactError, match=r"template\.faiss is missing"):
        LiveIndex(nights.store.uri, cache=cache)
