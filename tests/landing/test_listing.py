"""Every file of the landing zone is listed, whatever its name: as a file, as refused, or as clutter."""

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


def test_unusual_names_are_listed_unchanged(folder):
    put(folder / "[sub folder] #1 {50%}" / "_export", *ODD)
    assert sorted(names(list_landed(str(folder)))) == sorted(f"[sub folder] #1 {{50%}}/_export/{name}" for name in ODD)


def test_a_folder_name_is_not_read_as_a_pattern(folder):
    put(folder / "[a]*", "one.jpg")
    put(folder / "a", "two.jpg")
    assert names(list_landed(f"{folder}/[a]*")) == ["one.jpg"]


@pytest.mark.parametrize("prefix", ["", "file:", "file://"])
@pytest.mark.parametrize("suffix", ["", "/", "//"])
def test_all_spellings_of_a_local_folder_give_the_same_paths(folder, prefix, suffix):
    put(folder, "a.jpg")
    (file,) = list_landed(f"{prefix}{folder}{suffix}").files
    assert file.path == f"{folder}/a.jpg"
    assert (file.folder, file.name) == (str(folder), "a.jpg")


def test_a_listing_has_the_length_and_modification_time_of_a_file(folder):
    put(folder, "five.jpg", text="12345")
    put(folder, "none.jpg", text="")
    os.utime(folder / "five.jpg", ns=(0, 1_700_000_000_123_456_789))
    facts = {file.name: (file.bytes, file.modified_ms) for file in list_landed(str(folder)).files}
    assert facts["five.jpg"] == (5, 1_700_000_000_123)
    assert facts["none.jpg"][0] == 0


@pytest.mark.parametrize(
    ("seconds", "day"), [(-2_082_844_800, date(1904, 1, 1)), (0, date(1970, 1, 1)), (10_413_792_000, date(2300, 1, 1))]
)
def test_files_with_implausible_modification_times_are_listed(folder, seconds, day):
    put(folder, "a.jpg")
    os.utime(folder / "a.jpg", (seconds, seconds))
    (file,) = list_landed(str(folder)).files
    assert (file.modified_ms, file.landed_on) == (seconds * 1000, day)


def test_the_landing_day_is_that_of_the_partition_or_else_of_the_last_modification(folder):
    put(folder, "date=2024-05-06/more/a.jpg", "date=2024-13-99/b.jpg", "c.jpg")
    for name in ("date=2024-13-99/b.jpg", "c.jpg"):
        os.utime(folder / name, (1_700_000_000, 1_700_000_000))
    days = {file.name: file.landed_on for file in list_landed(str(folder)).files}
    assert days == {"a.jpg": date(2024, 5, 6), "b.jpg": date(2023, 11, 14), "c.jpg": date(2023, 11, 14)}


def test_the_day_of_a_partition_is_read_from_the_path():
    assert named_day("/landing/date=2024-05-06/x/a.jpg") == date(2024, 5, 6)
    assert named_day("/landing/date=2024-13-06/a.jpg") is None
    assert named_day("/landing/2024-05-06/a.jpg") is None


def test_dates_choose_partitions_and_a_day_without_a_folder_is_missing(folder):
    put(folder, "date=2024-05-06/a.jpg", "date=2024-05-07/b.jpg", "c.jpg")
    listing = list_landed(str(folder), [date(2024, 5, 7), date(2024, 5, 9)])
    assert names(listing) == ["date=2024-05-07/b.jpg"]
    assert listing.missing == [f"{folder}/date=2024-05-09"]


def test_a_folder_that_does_not_exist_is_missing(folder):
    listing = list_landed(str(folder))
    assert (listing.files, listing.refused, listing.missing) == ([], [], [str(folder)])


def test_each_folder_is_listed_once_even_with_links(folder):
    put(folder, "a.jpg", "album/x.jpg")
    put(folder.parent / "elsewhere", "y.jpg")
    (folder / "album" / "up").symlink_to("..")
    (folder / "album" / "root").symlink_to("/")
    (folder / "album" / "itself").symlink_to("itself")
    (folder / "also").symlink_to("album")
    (folder / "more").symlink_to(folder.parent / "elsewhere")
    (folder / "album" / "link.jpg").symlink_to("../a.jpg")
    listing = list_landed(str(folder))
    assert names(listing) == ["a.jpg", "album/link.jpg", "album/x.jpg", "more/y.jpg"]
    assert listing.passed_over == Counter({"link to a listed folder": 3})
    assert list(refused(listing)) == ["album/itself"]


def test_pipes_sockets_and_broken_links_are_refused_and_never_opened(folder):
    put(folder, "a.jpg")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "nowhere.jpg").symlink_to("gone.jpg")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "s"))
        listing = list_landed(str(folder))
    assert names(listing) == ["a.jpg"]
    assert refused(listing) == {
        "pipe.jpg": ("unreadable", "a named pipe, not a file"),
        "nowhere.jpg": ("unreadable", "a link to nothing"),
        "s": ("unreadable", "a socket, not a file"),
    }


def test_a_name_that_is_not_utf8_is_refused_and_listed_with_its_bytes(folder):
    put(folder, "a.jpg")
    (folder / os.fsdecode(b"caf\xe9.jpg")).write_text("x")
    listing = list_landed(str(folder))
    assert names(listing) == ["a.jpg"]
    assert refused(listing) == {"caf\\xe9.jpg": ("bad_name", "its name is not UTF-8: rename it")}


def test_a_folder_without_permission_is_refused_and_other_folders_are_listed(folder, monkeypatch):
    put(folder, "a.jpg", "locked/b.jpg", "open/c.jpg")
    real_scandir = os.scandir

    def scandir(path):  # as for another user: root, who may run the tests, may list every folder
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real_scandir(path)

    monkeypatch.setattr(os, "scandir", scandir)
    listing = list_landed(str(folder))
    assert names(listing) == ["a.jpg", "open/c.jpg"]
    assert refused(listing) == {"locked": ("unreadable", "the folder cannot be listed: Permission denied")}
    assert f"{folder}/open" in listing.folders
    assert f"{folder}/locked" not in listing.folders


def test_clutter_is_counted_by_kind(folder):
    put(folder, "a.jpg", "2024/@eaDir/a.jpg/THUMB.jpg", "Thumbs.db", "._a.jpg", "a.MOV", "_SUCCESS", ".a.jpg.crc")
    listing = list_landed(str(folder))
    assert names(listing) == ["a.jpg"]
    assert listing.passed_over == Counter({"system": 3, "video": 1, "job marker": 2})
    assert listing.checksums == {f"{folder}/.a.jpg.crc"}


def test_a_name_that_is_never_clutter_is_listed(folder):
    put(folder, ".metadata.jsonl", "metadata.jsonl.part", "a.part")
    listing = list_landed(str(folder), never_clutter=lambda name: "metadata" in name)
    assert names(listing) == [".metadata.jsonl", "metadata.jsonl.part"]


def test_objects_of_a_bucket_are_listed_like_files(bucket):
    client = boto3.client("s3")
    for key in ("date=2024-05-06/_x/a b#1 %20.jpg", "date=2024-05-06/東.jpg", "date=2024-05-06/Thumbs.db", "b.jpg"):
        client.put_object(Bucket="vsearch-tests", Key=f"listed/{key}", Body=b"12345")
    listing = list_landed(f"{bucket.replace('s3:', 's3a:')}/listed/", [date(2024, 5, 6), date(2024, 5, 7)])
    assert names(listing) == ["date=2024-05-06/_x/a b#1 %20.jpg", "date=2024-05-06/東.jpg"]
    assert listing.files[0].path.startswith("s3a://vsearch-tests/listed/date=")
    assert (listing.files[0].bytes, listing.files[0].landed_on) == (5, date(2024, 5, 6))
    assert listing.passed_over == Counter({"system": 1})
    assert listing.missing == ["s3a://vsearch-tests/listed/date=2024-05-07"]


def test_only_the_folder_of_an_unreadable_key_is_refused(bucket):
    client = boto3.client("s3")
    for key in ("a.jpg", "bad//b.jpg", "good/c.jpg"):
        client.put_object(Bucket="vsearch-tests", Key=f"keys/{key}", Body=b"x")
    listing = list_landed(f"{bucket}/keys")
    assert names(listing) == ["a.jpg", "good/c.jpg"]
    ((folder, (reason, message)),) = refused(listing).items()
    assert (folder, reason) == ("bad", "unreadable")
    assert "empty path segment" in message


def test_files_that_are_never_clutter_are_listed_beside_the_requested_days(folder, bucket):
    keys = [
        "metadata.csv",
        "other.csv",
        "metadata.parquet/part-0",
        "date=2024-05-06/a.jpg",
        "date=2024-05-07/b.jpg",
    ]
    put(folder, *keys)
    client = boto3.client("s3")
    for key in keys:
        client.put_object(Bucket="vsearch-tests", Key=f"beside/{key}", Body=b"x")
    for uri in (str(folder), f"{bucket}/beside"):
        listing = list_landed(uri, [date(2024, 5, 6)], never_clutter=lambda name: "metadata" in name)
        assert names(listing) == ["date=2024-05-06/a.jpg", "metadata.csv", "metadata.parquet/part-0"]
        assert listing.roots == [f"{uri}/date=2024-05-06"]
