"""`vsearch index` reports the published versions; its exit code says how it ended, and an error is one line."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.manifest import Manifest, encode
from vsearch_lib.artefact.pointer import POINTER, manifest_key, read_pointer, versions
from vsearch_lib.cli.command_line import main
from vsearch_lib.index.candidate import save_candidate
from vsearch_lib.publishing.publication import publish
from vsearch_lib.storage import open_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "index"))


@pytest.fixture
def published(small_index, store) -> dict[str, Manifest]:
    """Versions of twenty images: four of them change, then one of these changes again and another image is removed."""
    content = small_index.catalogue(rows=20, dimension=2)
    first = small_index.build(store.uri, content, factory="IVF1,Flat", shards=2)
    changed, changed_again = small_index.chosen(content, [0, 1, 2, 3]), small_index.chosen(content, [3])
    second = small_index.build_delta(store.uri, first, changed, version="v2", dead=4)
    third = small_index.build_delta(store.uri, second, changed_again, gone=[content.ids[7]], version="v3", dead=6)
    for manifest in (first, second, third):
        publish(store, manifest, now=NOW)
    return {manifest.version: manifest for manifest in (first, second, third)}


@pytest.fixture
def vsearch(tmp_path, monkeypatch, capsys):
    """Run `vsearch index …` on the index; return its exit code, and the lines of both outputs."""

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        monkeypatch.setattr(sys, "argv", ["vsearch", "index", *arguments, "--env", "demo", "--set", f"var={tmp_path}"])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out.splitlines(), printed.err.splitlines()

    return run


def file_of(store, entry: StoredFile) -> Path:
    return Path(store.uri) / "files" / entry.file


def test_list_counts_the_living_rows_of_each_version_and_marks_the_served_one(vsearch, published):
    first, second = "  v1  full       20 living rows of 20", "  v2  delta      20 living rows of 24, 1 deltas"
    third = "* v3  delta      19 living rows of 25, 2 deltas"
    assert vsearch("list") == (0, [first, second, third], [])
    assert vsearch("rollback", "v1")[0] == 0
    assert vsearch("list") == (0, ["*" + first[1:], second, " " + third[1:]], [])


def test_list_names_the_other_versions_if_a_manifest_or_the_pointer_is_damaged(vsearch, store, published):
    store.delete(manifest_key("v2"))
    store.write_new(manifest_key("v2"), b"{}")
    code, output, error = vsearch("list")
    assert (code, [line[2:].split()[:2] for line in output]) == (
        1,
        [["v1", "full"], ["v2", "damaged"], ["v3", "delta"]],
    )
    assert len(error) == 1
    assert "manifests/v2.json is not a manifest" in error[0]
    store.replace(POINTER, b"", store.read_versioned(POINTER))
    code, output, error = vsearch("list")
    assert (code, len(output)) == (1, 3)
    assert len(error) == 1
    assert "CURRENT is not a pointer" in error[0]


@pytest.mark.parametrize("arguments", [["show"], ["verify"], ["rollback"], ["rollback", "v1"]])
def test_without_a_published_version_every_command_reports_that(vsearch, store, arguments):
    assert vsearch(*arguments) == (2, [], [f"vsearch: nothing is published at {store.uri}"])
    assert vsearch("list") == (0, [f"nothing is published at {store.uri}"], [])
    assert vsearch("gc") == (0, ["0 versions and 0 files deleted, 0 bytes"], [])


def test_show_prints_the_manifest_of_the_served_or_a_named_version(vsearch, published):
    for arguments, version in (((), "v3"), (("v1",), "v1")):
        code, output, error = vsearch("show", *arguments)
        assert (code, error) == (0, [])
        assert "\n".join([*output, ""]).encode() == encode(published[version])


def test_verify_counts_the_files_of_an_undamaged_version(vsearch, published):
    # A template, its sample, two shards of three files; then two deltas and two tombstone files.
    assert vsearch("verify", "v1") == (0, ["v1: 8 files are what the manifest says"], [])
    assert vsearch("verify") == (0, ["v3: 16 files are what the manifest says"], [])


def test_verify_names_every_damaged_file_and_exits_with_1(vsearch, store, published):
    entries = [published["v3"].shards[1].vectors, published["v3"].tombstones[1]]
    missing, flipped = (file_of(store, entry) for entry in entries)
    missing.unlink()
    flipped.write_bytes(flipped.read_bytes()[::-1])
    code, output, error = vsearch("verify")
    assert code == 1
    assert [line.split(" ")[0] for line in output] == [str(missing), str(flipped)]
    assert error == ["vsearch: v3: 2 of 16 files are damaged; vsearch index rollback"]
    assert vsearch("verify", "v1")[::2] == (1, ["vsearch: v1: 1 of 8 files are damaged; vsearch index rollback"])


def test_verify_does_not_take_another_manifest_for_the_served_one(vsearch, store, published):
    store.delete(manifest_key("v3"))
    store.write_new(manifest_key("v3"), encode(replace(published["v3"], tombstones=())))
    code, output, error = vsearch("verify")
    assert (code, output, len(error)) == (1, [], 1)
    assert "manifests/v3.json is not what CURRENT says" in error[0]


def test_rollback_serves_the_parent_or_a_named_version(vsearch, store, published):
    for arguments, version in (((), "v2"), ((), "v1"), (("v3",), "v3")):
        assert vsearch("rollback", *arguments) == (0, [f"{version} is served from {store.uri}"], [])
        assert read_pointer(store).version == version


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["rollback", "v3"], 2, "v3 is served already"),
        (["rollback", "v9"], 2, "has no version v9; vsearch index list shows the versions"),
        (["rollback", "v2"], 1, "v2 cannot be served again: "),
        (["rollback"], 1, "v2 cannot be served again: "),
        (["verify", "v9"], 2, "has no version v9; vsearch index list shows the versions"),
        (["show", "v9"], 2, "has no version v9; vsearch index list shows the versions"),
    ],
)
def test_an_impossible_command_is_one_line_and_the_pointer_stays(vsearch, store, published, arguments, code, message):
    file_of(store, published["v2"].deltas[0].rows_file).unlink()
    before = store.read(POINTER)
    exit_code, output, error = vsearch(*arguments)
    assert (exit_code, output, len(error)) == (code, [], 1)
    assert error[0].startswith("vsearch: ")
    assert message in error[0]
    assert store.read(POINTER) == before


@pytest.mark.parametrize("arguments", [[], ["lists"], ["show", "v1", "v2"], ["gc", "v1"], ["list", "--all"]])
def test_bad_usage_exits_with_2_and_one_line_that_names_the_help(vsearch, arguments):
    code, output, error = vsearch(*arguments)
    assert (code, output) == (2, [])
    (line,) = error
    assert line.startswith("vsearch")
    assert line.endswith("--help")


def test_gc_deletes_what_the_settings_allow_and_counts_it(vsearch, store, published):
    """v1 is served, and one other version is retained: the newest, which uses the files of v2."""
    save_candidate(store, "run-1", published["v3"])
    vsearch("rollback", "v1")
    assert vsearch("gc")[1] == ["0 versions and 0 files deleted, 0 bytes"]
    deleted = ["deleted v2", "1 versions and 0 files deleted, 0 bytes"]
    assert vsearch("gc", "--set", "index.retained_versions=1") == (0, deleted, [])
    unnamed = Path(store.uri) / "files" / f"{'a' * 64}-codes.faiss"
    unnamed.write_bytes(b"x" * 1000)
    over_an_hour_ago = datetime.now(UTC).timestamp() - 3700
    for old in (unnamed, Path(store.uri) / "candidates" / "run-1.json", file_of(store, published["v1"].template)):
        os.utime(old, (over_an_hour_ago, over_an_hour_ago))
    candidate = len(encode(published["v3"]))
    assert vsearch("gc")[1] == ["0 versions and 0 files deleted, 0 bytes"]
    deleted = [f"0 versions and 2 files deleted, {1000 + candidate} bytes"]
    assert vsearch("gc", "--set", "index.unused_hours=1") == (0, deleted, [])
    assert versions(store) == ["v1", "v3"]
    assert store.list("files") == sorted(file.key for file in published["v3"].files)
    assert vsearch("verify")[0] == vsearch("verify", "v3")[0] == 0
