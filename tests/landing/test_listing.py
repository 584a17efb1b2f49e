"""Everything that lies in the landing zone is found, whatever it is called: as a file, refused, or as clutter."""

import os
import socket
from collections import Counter
from datetime import date
from pathlib import Path

import boto3
import pytest

from vsearch_lib.landing.listing import list_landed, named_day

ODD = [
    *("a b.jpg", "#1.jpg", "50%.jpg", "%20.jpg", "[x].jpg", "{y}.jpg", "qu?.jpg", "st*r.jpg", "a+b.jpg"),
    *("größe 東京.jpg", "new\nline.jpg", "_MG_1234.JPG", "back\\slash.jpg", "trailing .jpg ", "-rf.jpg", "~.jpg"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def put(folder: Path, *names: str, text: str = "x") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def names(listing) -> list[str]:
    return [file.path.removeprefix(f"{listing.uri}/") for file in listing.files]


def refused(listing) -> dict[str, tuple[str, str]]:
    return {file.path.removeprefix(f"{listing.uri}/"): (file.reason, file.message) for file in listing.refused}


def test_names_are_listed_as_they_are(folder):
    put(folder / "[sub folder] #1 {50%}" / "_export", *ODD)
    assert sorted(names(list_landed(str(folder)))) == sorted(f"[sub folder] #1 {{50%}}/_export/{name}" for name in ODD)


def test_an_odd_folder_is_itself_and_not_a_pattern(folder):
    put(folder / "[a]*", "one.jpg")
    put(folder / "a", "two.jpg")
    assert names(list_landed(f"{folder}/[a]*")) == ["one.jpg"]


@pytest.mark.parametrize("prefix", ["", "file:", "file://"])
@pytest.mark.parametrize("suffix", ["", "/", "//"])
def test_a_local_folder_has_one_spelling(folder, prefix, suffix):
    put(folder, "a.jpg")
    (file,) = list_landed(f"{prefix}{folder}{suffix}").files
    assert file.path == f"{folder}/a.jpg"
    assert (file.folder, file.name) == (str(folder), "a.jpg")


def test_a_listing_says_how_long_a_file_is_and_when_it_changed(folder):
    put(folder, "five.jpg", text="12345")
    put(folder, "none.jpg", text="")
    os.utime(folder / "five.jpg", ns=(0, 1_700_000_000_123_456_789))
    found = {file.name: (file.bytes, file.modified_ms) for file in list_landed(str(folder)).files}
    assert found["five.jpg"] == (5, 1_700_000_000_123)
    assert found["none.jpg"][0] == 0


@pytest.mark.parametrize(
    ("seconds", "day"), [(-2_082_844_800, date(1904, 1, 1)), (0, date(1970, 1, 1)), (10_413_792_000, date(2300, 1, 1))]
)
def test_files_of_clocks_that_are_wrong_are_listed(folder, seconds, day):
    put(folder, "a.jpg")
    os.utime(folder / "a.jpg", (seconds, seconds))
    (file,) = list_landed(str(folder)).files
    assert (file.modified_ms, file.landed_on) == (seconds * 1000, day)


def test_a_file_landed_on_the_day_of_its_partition_or_of_its_last_change(folder):
    put(folder, "date=2024-05-06/more/a.jpg", "date=2024-13-99/b.jpg", "c.jpg")
    for name in ("date=2024-13-99/b.jpg", "c.jpg"):
        os.utime(folder / name, (1_700_000_000, 1_700_000_000))
    days = {file.name: file.landed_on for file in list_landed(str(folder)).files}
    assert days == {"a.jpg": date(2024, 5, 6), "b.jpg": date(2023, 11, 14), "c.jpg": date(2023, 11, 14)}


def test_a_path_names_the_day_of_its_partition():
    assert named_day("/landing/date=2024-05-06/x/a.jpg") == date(2024, 5, 6)
    assert named_day("/landing/date=2024-13-06/a.jpg") is None
    assert named_day("/landing/2024-05-06/a.jpg") is None


def test_dates_choose_partitions_and_a_day_without_a_folder_is_said(folder):
    put(folder, "date=2024-05-06/a.jpg", "date=2024-05-07/b.jpg", "c.jpg")
    found = list_landed(str(folder), [date(2024, 5, 7), date(2024, 5, 9)])
    assert names(found) == ["date=2024-05-07/b.jpg"]
    assert found.missing == [f"{folder}/date=2024-05-09"]


def test_a_folder_that_is_not_there_is_missing(folder):
    found = list_landed(str(folder))
    assert (found.files, found.refused, found.missing) == ([], [], [str(folder)])


def test_links_lead_to_each_folder_once(folder):
    put(folder, "a.jpg", "album/x.jpg")
    put(folder.parent / "elsewhere", "y.jpg")
    (folder / "album" / "up").symlink_to("..")
    (folder / "album" / "root").symlink_to("/")
    (folder / "album" / "itself").symlink_to("itself")
    (folder / "also").symlink_to("album")
    (folder / "more").symlink_to(folder.parent / "elsewhere")
    (folder / "album" / "link.jpg").symlink_to("../a.jpg")
    found = list_landed(str(folder))
    assert names(found) == ["a.jpg", "album/link.jpg", "album/x.jpg", "more/y.jpg"]
    assert found.passed_over == Counter({"link to a listed folder": 3})
    assert list(refused(found)) == ["album/itself"]


def test_what_is_no_file_is_refused_and_never_opened(folder):
    put(folder, "a.jpg")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "nowhere.jpg").symlink_to("gone.jpg")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "s"))
        found = list_landed(str(folder))
    assert names(found) == ["a.jpg"]
    assert refused(found) == {
        "pipe.jpg": ("unreadable", "a named pipe, not a file"),
        "nowhere.jpg": ("unreadable", "a link to nothing"),
        "s": ("unreadable", "a socket, not a file"),
    }


def test_a_name_that_is_not_utf8_is_refused_with_its_bytes(folder):
    put(folder, "a.jpg")
    (folder / os.fsdecode(b"caf\xe9.jpg")).write_text("x")
    found = list_landed(str(folder))
    assert names(found) == ["a.jpg"]
    assert refused(found) == {"caf\\xe9.jpg": ("bad_name", "its name is not UTF-8: rename it")}


def test_a_folder_that_may_not_be_listed_is_refused_and_its_neighbours_are_listed(folder, monkeypatch):
    put(folder, "a.jpg", "locked/b.jpg", "open/c.jpg")
    listed = os.scandir

    def scandir(path):  # as for another user: the tests may run as root, who may list everything
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = list_landed(str(folder))
    assert names(found) == ["a.jpg", "open/c.jpg"]
    assert refused(found) == {"locked": ("unreadable", "the folder cannot be listed: Permission denied")}
    assert f"{folder}/open" in found.folders
    assert f"{folder}/locked" not in found.folders


def test_clutter_is_counted_by_kind(folder):
    put(folder, "a.jpg", "2024/@eaDir/a.jpg/THUMB.jpg", "Thumbs.db", "._a.jpg", "a.MOV", "_SUCCESS", ".a.jpg.crc")
    found = list_landed(str(folder))
    assert names(found) == ["a.jpg"]
    assert found.passed_over == Counter({"system": 3, "video": 1, "job marker": 2})
    assert found.checksums == {f"{folder}/.a.jpg.crc"}


def test_a_name_that_counts_is_no_clutter(folder):
    put(folder, ".metadata.jsonl", "metadata.jsonl.part", "a.part")
    found = list_landed(str(folder), never_clutter=lambda name: "metadata" in name)
    assert names(found) == [".metadata.jsonl", "metadata.jsonl.part"]


def test_objects_of_a_bucket_are_listed_like_files(bucket):
    client = boto3.client("s3")
    for key in ("date=2024-05-06/_x/a b#1 %20.jpg", "date=2024-05-06/東.jpg", "date=2024-05-06/Thumbs.db", "b.jpg"):
        client.put_object(Bucket="vsearch-tests", Key=f"listed/{key}", Body=b"12345")
    found = list_landed(f"{bucket.replace('s3:', 's3a:')}/listed/", [date(2024, 5, 6), date(2024, 5, 7)])
    assert names(found) == ["date=2024-05-06/_x/a b#1 %20.jpg", "date=2024-05-06/東.jpg"]
    assert found.files[0].path.startswith("s3a://vsearch-tests/listed/date=")
    assert (found.files[0].bytes, found.files[0].landed_on) == (5, date(2024, 5, 6))
    assert found.passed_over == Counter({"system": 1})
    assert found.missing == ["s3a://vsearch-tests/listed/date=2024-05-07"]


def test_a_key_that_cannot_be_read_refuses_its_folder_alone(bucket):
    client = boto3.client("s3")
    for key in ("a.jpg", "bad//b.jpg", "good/c.jpg"):
        client.put_object(Bucket="vsearch-tests", Key=f"keys/{key}", Body=b"x")
    found = list_landed(f"{bucket}/keys")
    assert names(found) == ["a.jpg", "good/c.jpg"]
    ((folder, (reason, message)),) = refused(found).items()
    assert (folder, reason) == ("bad", "unreadable")
    assert "empty path segment" in message


def test_what_never_is_clutter_is_listed_beside_the_days_that_are_asked_for(folder, bucket):
    names_there = [
        "metadata.csv",
        "other.csv",
        "metadata.parquet/part-0",
        "date=2024-05-06/a.jpg",
        "date=2024-05-07/b.jpg",
    ]
    put(folder, *names_there)
    client = boto3.client("s3")
    for key in names_there:
        client.put_object(Bucket="vsearch-tests", Key=f"beside/{key}", Body=b"x")
    for uri in (str(folder), f"{bucket}/beside"):
        found = list_landed(uri, [date(2024, 5, 6)], never_clutter=lambda name: "metadata" in name)
        assert names(found) == ["date=2024-05-06/a.jpg", "metadata.csv", "metadata.parquet/part-0"]
        assert found.places == [f"{uri}/date=2024-05-06"]
