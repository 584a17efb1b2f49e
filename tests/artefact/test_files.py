"""A file is opened only if its bytes match the sha256 in its name."""

from __future__ import annotations

import pytest

from vsearch_lib.artefact.files import verified_file
from vsearch_lib.errors import ArtefactError
from vsearch_lib.index.shard import store_file
from vsearch_lib.storage import open_store


@pytest.fixture
def store(store_uri):
    return open_store(store_uri)


@pytest.fixture
def stored(store, tmp_path):
    (tmp_path / "codes.faiss").write_bytes(b"abc")
    return store_file(store, tmp_path / "codes.faiss")


def test_a_file_that_matches_its_sha256_is_opened(store, stored, tmp_path):
    assert verified_file(store, stored, tmp_path / "cache").read_bytes() == b"abc"


@pytest.mark.parametrize("content", [b"", b"ab", b"abd", b"abcd"])
def test_a_file_with_other_bytes_is_refused_and_named(store, stored, tmp_path, content):
    store.delete(stored.key)
    store.write_new(stored.key, content)
    with pytest.raises(ArtefactError, match=f"{stored.key} is corrupted"):
        verified_file(store, stored, tmp_path / "cache")


def test_a_missing_file_is_named(store, stored, tmp_path):
    store.delete(stored.key)
    with pytest.raises(ArtefactError, match=f"{stored.file} is missing"):
        verified_file(store, stored, tmp_path / "cache")


@pytest.mark.parametrize("store_uri", ["bucket"], indirect=True)
def test_a_changed_copy_in_the_cache_is_fetched_again(store, stored, tmp_path):
    path = verified_file(store, stored, tmp_path / "cache")
    assert path == tmp_path / "cache" / stored.file
    path.write_bytes(b"abd")
    assert verified_file(store, stored, tmp_path / "cache").read_bytes() == b"abc"
