"""The pointer moves once, to a newer and complete version, or it stays."""

from __future__ import annotations

import threading
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.pointer import POINTER, current_manifest, read_pointer
from vsearch_lib.errors import ArtefactError, PublishConflict
from vsearch_lib.index.candidate import read_candidate, refused_template, save_candidate, save_refusal
from vsearch_lib.publishing.publication import publish
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

NO_CACHE = Path("unused")  # files of a local folder are opened in place

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLDER, MIDDLE, NEWER = "20260301T000000Z-c", "20260302T000000Z-b", "20260303T000000Z-a"


class Store:
    """A store that passes every call to another one, except the method that a test replaces."""

    def __init__(self, store) -> None:
        self.store = store

    def __getattr__(self, name: str):
        return getattr(self.store, name)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "index"))


@pytest.fixture
def version(small_index, store):
    built = small_index.build(
        store.uri, small_index.catalogue(rows=60, dimension=4), factory="IVF1,Flat", shards=2, version=OLDER
    )
    return lambda name, parent=None: changed(built, version=name, parent=parent)


def test_a_newer_version_replaces_an_older_one(store, version):
    publish(store, version(OLDER), now=NOW)
    pointer = publish(store, version(NEWER, parent=OLDER), now=NOW)
    assert pointer == read_pointer(store)
    assert current_manifest(store) == version(NEWER, parent=OLDER)


@pytest.mark.parametrize("parent", [None, MIDDLE])
def test_a_version_that_was_not_built_on_the_served_one_is_refused(store, version, parent):
    """It would lack rows of the served one: an older build that ended late, or one from before a rollback."""
    older = publish(store, version(OLDER), now=NOW)
    with pytest.raises(PublishConflict, match=f"was built on {parent}, and {OLDER} is served.*build again"):
        publish(store, version(NEWER, parent=parent), now=NOW)
    assert read_pointer(store) == older


def test_an_older_version_never_replaces_a_newer_one(store, version):
    newer = publish(store, version(NEWER), now=NOW)
    with pytest.raises(PublishConflict, match=f"serves {NEWER}, which is newer than {OLDER}"):
        publish(store, version(OLDER), now=NOW + timedelta(days=9))
    assert read_pointer(store) == newer


def test_publishing_the_served_version_again_changes_nothing(store, version, tmp_path):
    first = publish(store, version(OLDER), now=NOW)
    files = {p: p.stat().st_mtime_ns for p in (tmp_path / "index").rglob("*")}
    assert publish(store, version(OLDER), now=NOW + timedelta(days=1)) == first
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "index").rglob("*")} == files


def test_other_content_under_an_existing_version_name_is_refused(store, version):
    store.write_new(f"manifests/{NEWER}.json", b"{}")
    older = publish(store, version(OLDER), now=NOW)
    with pytest.raises(ArtefactError, match="is there already with other content"):
        publish(store, version(NEWER, parent=OLDER), now=NOW)
    assert read_pointer(store) == older


def test_a_run_that_fails_between_manifest_and_pointer_publishes_when_repeated(store, version):
    publish(store, version(OLDER), now=NOW)
    failing = Store(store)

    def replace(*_: object) -> None:
        raise ConnectionError("the network went away")

    failing.replace = replace
    with pytest.raises(ConnectionError):
        publish(failing, version(NEWER, parent=OLDER), now=NOW)
    assert Searcher.open(store.uri, cache=NO_CACHE).manifest.version == OLDER
    publish(store, version(NEWER, parent=OLDER), now=NOW)
    assert Searcher.open(store.uri, cache=NO_CACHE).manifest.version == NEWER


def test_after_a_lost_reply_the_pointer_is_read_back(store, version):
    """A client repeats the write, and the store refuses it because the first attempt succeeded."""
    lossy = Store(store)

    def replace(key: str, content: bytes, expected) -> None:
        store.replace(key, content, expected)
        raise PublishConflict("refused because the first attempt succeeded")

    lossy.replace = replace
    for name, parent in ((OLDER, None), (NEWER, OLDER)):
        pointer = publish(lossy, version(name, parent), now=NOW)
        assert pointer == read_pointer(store)
        assert pointer.version == name


def test_the_slower_of_two_publishers_gets_a_conflict_and_leaves_the_pointer(store, version):
    publish(store, version(OLDER), now=NOW)
    slow = Store(store)

    def replace(key: str, content: bytes, expected) -> None:
        publish(store, version(MIDDLE, OLDER), now=NOW)
        store.replace(key, content, expected)

    slow.replace = replace
    with pytest.raises(PublishConflict):
        publish(slow, version(NEWER, OLDER), now=NOW)
    assert read_pointer(store).version == MIDDLE


def test_without_conditional_writes_a_publisher_that_was_overwritten_gets_a_conflict(store, version):
    """Reading the pointer back shows that another publisher has written it."""
    unconditional = Store(store)

    def replace(key: str, content: bytes, _expected) -> None:
        store.replace(key, content, store.read_versioned(key))
        other = content.replace(b'"publish_id": "', b'"publish_id": "other')
        store.replace(key, other, store.read_versioned(key))

    unconditional.replace = replace
    with pytest.raises(PublishConflict, match="another publisher was faster"):
        publish(unconditional, version(NEWER), now=NOW)


def test_of_two_concurrent_publishers_one_wins_and_the_other_gets_a_conflict(store, version):
    publish(store, version(OLDER), now=NOW)
    both_have_read = threading.Barrier(2)
    outcomes: dict[str, str] = {}

    class Together(Store):
        def replace(self, key: str, content: bytes, expected) -> None:
            both_have_read.wait()
            self.store.replace(key, content, expected)

    def run(name: str) -> None:
        try:
            outcomes[name] = publish(Together(store), version(name, OLDER), now=NOW).version
        except PublishConflict:
            outcomes[name] = "conflict"

    threads = [threading.Thread(target=run, args=(name,)) for name in (MIDDLE, NEWER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    served = read_pointer(store).version
    assert outcomes == {name: name if name == served else "conflict" for name in (MIDDLE, NEWER)}


def test_an_invalid_pointer_is_not_overwritten(store, version):
    store.write_new(POINTER, b"garbage")
    with pytest.raises(ArtefactError, match="is not a pointer"):
        publish(store, version(NEWER), now=NOW)
    assert store.read(POINTER) == b"garbage"


def test_the_time_of_publishing_is_given_in_utc(store, version):
    east = NOW.astimezone(timezone(timedelta(hours=5)))
    assert publish(store, version(NEWER), now=east).published_at == "2026-03-01T00:00:00+00:00"


def test_a_candidate_is_not_served(store, version):
    save_candidate(store, "run-1", version(OLDER))
    assert read_pointer(store) is None
    assert read_candidate(store, "run-1") == version(OLDER)
    assert read_candidate(store, "run-2") is None


def test_a_second_candidate_of_a_run_replaces_the_first(store, version):
    save_candidate(store, "run-1", version(OLDER))
    save_candidate(store, "run-1", version(NEWER))
    assert read_candidate(store, "run-1") == version(NEWER)


def test_a_conflict_with_the_note_of_a_concurrent_run_does_not_hide_a_refusal(store, version):
    """Without the note the next build is refused once more, but the gate's refusal must be reported."""
    late = Store(store)

    def replace(key: str, content: bytes, expected) -> None:
        save_refusal(store, changed(version(NEWER), template=StoredFile("other-template.faiss", "other", 0)))
        store.replace(key, content, expected)

    late.replace = replace
    save_refusal(late, version(OLDER))
    assert refused_template(store, search=version(OLDER).search) == "other"


def test_a_template_refused_at_one_operating_point_is_not_refused_at_another(store, version):
    refused = version(OLDER)
    save_refusal(store, refused)
    assert refused_template(store, search=refused.search) == refused.template.sha256
    assert refused_template(store, search=changed(refused.search, nprobe=2 * refused.search.nprobe)) is None
