"""Readers follow one pointer, and refuse a manifest that is not the one it names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vsearch_lib.artefact.manifest import Manifest
from vsearch_lib.artefact.pointer import current_manifest, read_manifest, read_pointer
from vsearch_lib.errors import ArtefactError
from vsearch_lib.publishing.publication import publish
from vsearch_lib.storage import open_store


@pytest.fixture
def manifest(small_index, tmp_path) -> Manifest:
    return small_index.build(tmp_path, small_index.catalogue(rows=60, dimension=4), factory="IVF1,Flat", shards=1)


@pytest.fixture
def store(tmp_path, manifest):
    opened = open_store(str(tmp_path))
    publish(opened, manifest, now=datetime(2026, 3, 1, tzinfo=UTC))
    return opened


def test_the_published_manifest_is_the_one_that_is_read(store, manifest):
    assert current_manifest(store) == manifest
    pointer = read_pointer(store)
    assert (pointer.version, pointer.manifest) == ("v1", "manifests/v1.json")
    assert pointer.published_at == "2026-03-01T00:00:00+00:00"


def test_before_the_first_publication_there_is_no_pointer(tmp_path):
    store = open_store(str(tmp_path / "empty"))
    assert read_pointer(store) is None
    assert current_manifest(store) is None


@pytest.mark.parametrize("content", [b"", b"v1", b"{}", b"[]", b"null", b"\xff\xfe\xff", b'{"version": "v1"}'])
def test_an_invalid_pointer_is_refused(store, tmp_path, content):
    (tmp_path / "CURRENT").write_bytes(content)
    with pytest.raises(ArtefactError, match="CURRENT is not a pointer"):
        read_pointer(store)


@pytest.mark.parametrize("damage", ["flipped", "truncated", "one version for another"])
def test_a_manifest_with_another_sha256_than_the_pointer_says_is_refused(store, tmp_path, damage):
    path = tmp_path / "manifests" / "v1.json"
    content = path.read_bytes()
    match damage:
        case "flipped":
            path.write_bytes(content.replace(b'"nprobe": 8', b'"nprobe": 9'))
        case "truncated":
            path.write_bytes(content[:-1])
        case "one version for another":
            path.write_bytes(content.replace(b'"v1"', b'"v2"'))
    assert path.read_bytes() != content
    with pytest.raises(ArtefactError, match="sha256 differs"):
        current_manifest(store)


def test_a_missing_manifest_is_named(store, tmp_path):
    (tmp_path / "manifests" / "v1.json").unlink()
    with pytest.raises(ArtefactError, match=r"manifests/v1\.json is missing"):
        read_manifest(store, read_pointer(store))
