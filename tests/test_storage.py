"""Both kinds of store behave the same: a local folder, and a bucket of a real S3 server."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

import pytest

from vsearch_lib.errors import ArtefactError, PublishConflict, UsageError
from vsearch_lib.storage import Store, copy_folder, local_path, open_store, read_bytes


@pytest.fixture
def store(store_uri: str) -> Store:
    return open_store(store_uri)


def test_what_is_written_is_read_back(store, tmp_path):
    content = bytes(range(256)) * 9000
    assert store.write_new("a/b.bin", content) is True
    assert store.read("a/b.bin") == content
    assert store.fetch("a/b.bin", tmp_path / "cache" / "b.bin").read_bytes() == content
    assert read_bytes(f"{store.uri}/a/b.bin") == content


def test_a_local_file_is_stored_with_its_bytes(store, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"x" * 3_000_000 + b"end")
    assert store.write_new("copy", source) is True
    assert store.read("copy") == source.read_bytes()


@pytest.mark.parametrize("as_file", [False, True])
def test_write_new_never_overwrites(store, tmp_path, as_file):
    store.write_new("key", b"first")
    second: bytes | Path = b"second"
    if as_file:
        second = tmp_path / "second"
        second.write_bytes(b"second")
    assert store.write_new("key", second) is False
    assert store.read("key") == b"first"


def test_exactly_one_of_many_concurrent_writers_creates_a_new_key(store):
    for attempt in range(5):
        wrote = _at_once(4, lambda i, key=f"key-{attempt}": store.write_new(key, str(i).encode() * 100_000))
        assert sorted(wrote) == [False, False, False, True]
        assert store.read(f"key-{attempt}") == str(wrote.index(True)).encode() * 100_000


def test_replace_overwrites_the_expected_content(store):
    store.replace("CURRENT", b"one", None)
    store.replace("CURRENT", b"two", store.read_versioned("CURRENT"))
    assert store.read("CURRENT") == b"two"


def test_replace_with_a_stale_tag_conflicts_and_changes_nothing(store):
    store.replace("CURRENT", b"one", None)
    stale = store.read_versioned("CURRENT")
    store.replace("CURRENT", b"two", stale)
    with pytest.raises(PublishConflict, match="CURRENT was changed by another publisher"):
        store.replace("CURRENT", b"three", stale)
    assert store.read("CURRENT") == b"two"


def test_replace_that_expects_no_key_conflicts_with_an_existing_one(store):
    store.write_new("CURRENT", b"one")
    with pytest.raises(PublishConflict):
        store.replace("CURRENT", b"two", None)
    assert store.read("CURRENT") == b"one"


def test_replace_of_a_missing_key_conflicts_and_writes_nothing(store):
    store.write_new("CURRENT", b"one")
    expected = store.read_versioned("CURRENT")
    with pytest.raises(PublishConflict):
        store.replace("GONE", b"two", expected)
    assert store.read_versioned("GONE") is None


@pytest.mark.parametrize("exists", [False, True])
def test_exactly_one_of_two_concurrent_replacements_succeeds(store, exists):
    def replace(i: int) -> str:
        try:
            store.replace(key, f"by {i}".encode(), expected)
        except PublishConflict:
            return "failed"
        return "succeeded"

    for attempt in range(5):
        key = f"CURRENT-{attempt}"
        if exists:
            store.write_new(key, b"before")
        expected = store.read_versioned(key)
        outcome = _at_once(2, replace)
        assert sorted(outcome) == ["failed", "succeeded"]
        assert store.read(key) == f"by {outcome.index('succeeded')}".encode()


def test_a_missing_key_is_an_error_that_names_it(store, tmp_path):
    with pytest.raises(ArtefactError, match=r"no/such is missing"):
        store.read("no/such")
    with pytest.raises(ArtefactError, match=r"no/such is missing"):
        store.fetch("no/such", tmp_path / "cache")
    assert store.read_versioned("no/such") is None


def test_list_is_sorted_and_has_only_keys_below_its_prefix(store):
    for key in ("files/b", "files/a/2", "files/a/1", "filesystem", "other/c", "files/B"):
        store.write_new(key, b"")
    assert store.list("files") == ["files/B", "files/a/1", "files/a/2", "files/b"]
    assert store.list("") == ["files/B", "files/a/1", "files/a/2", "files/b", "filesystem", "other/c"]
    assert store.list("nothing") == []


def test_s3_and_s3a_are_the_same_bucket(bucket):
    prefix = uuid.uuid4().hex
    open_store(f"{bucket}/{prefix}").write_new("key", b"same")
    assert open_store(f"{bucket.replace('s3://', 's3a://')}/{prefix}").read("key") == b"same"


@pytest.mark.parametrize("uri", ["file:{}", "file://{}", "{}"])
def test_every_spelling_of_a_local_uri_gives_the_same_path(tmp_path, uri):
    assert local_path(uri.format(tmp_path)) == tmp_path


@pytest.mark.parametrize("uri", ["gs://bucket/index", "http://host/index", "hdfs://host/index"])
def test_another_scheme_is_a_usage_error_that_names_it(uri):
    with pytest.raises(UsageError, match=uri):
        open_store(uri)


@pytest.mark.parametrize("key", ["../outside", "files/../../outside", "/outside"])
def test_a_key_cannot_leave_its_folder(tmp_path, key):
    store = open_store(str(tmp_path / "store"))
    for action in (
        lambda: store.write_new(key, b"x"),
        lambda: store.read(key),
        lambda: store.replace(key, b"x", None),
        lambda: store.fetch(key, tmp_path / "cache"),
    ):
        with pytest.raises(ArtefactError, match="must stay below"):
            action()
    assert not (tmp_path / "outside").exists()


def test_a_writer_that_fails_midway_leaves_no_file(tmp_path):
    store = open_store(str(tmp_path / "store"))
    store.write_new("files/there", b"there")
    # A folder cannot be opened as a file: the writer fails after it has made its temporary file.
    with pytest.raises(IsADirectoryError):
        store.write_new("files/new", tmp_path)
    assert store.list("") == ["files/there"]
    assert [file.name for file in (tmp_path / "store" / "files").iterdir()] == ["there"]


def test_a_write_that_is_killed_midway_is_not_visible(tmp_path, monkeypatch):
    store = open_store(str(tmp_path / "store"))
    store.write_new("CURRENT", b"yesterday")

    def be_killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vsearch_lib.storage.stores.os.fsync", be_killed)
    with pytest.raises(KeyboardInterrupt):
        store.replace("CURRENT", b"today", store.read_versioned("CURRENT"))
    with pytest.raises(KeyboardInterrupt):
        store.write_new("files/new", b"half")
    assert store.list("") == ["CURRENT"]
    assert store.read("CURRENT") == b"yesterday"


def test_the_temporary_file_of_a_killed_writer_is_not_listed(tmp_path):
    store = open_store(str(tmp_path / "store"))
    store.write_new("files/whole", b"whole")
    (tmp_path / "store" / "files" / ".half").write_bytes(b"ha")
    assert store.list("files") == ["files/whole"]


def _at_once(writers: int, write) -> list:
    """Call `write(0)` … `write(writers - 1)` at the same time and return their results in order."""
    start = threading.Barrier(writers)
    results: list = [None] * writers

    def run(i: int) -> None:
        start.wait()
        results[i] = write(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_copy_folder_copies_every_file(store, tmp_path):
    contents = {"a/b.bin": b"1" * 100_000, "a/c/d.bin": b"2", "e": b""}
    for key, content in contents.items():
        store.write_new(f"folder/{key}", content)
    store.write_new("folder-beside/f", b"3")
    copy_folder(f"{store.uri}/folder", tmp_path / "copy")
    files = (file for file in (tmp_path / "copy").rglob("*") if file.is_file())
    assert {str(file.relative_to(tmp_path / "copy")): file.read_bytes() for file in files} == contents
