"""Files are pictures, metadata, clutter or unclear; pictures that an unclear file may describe are not ingested."""

import os
from pathlib import Path

import pytest

from vsearch_lib.images.metadata import may_be_metadata, sort_files
from vsearch_lib.landing.listing import list_landed


@pytest.fixture
def sort_landed(tmp_path: Path):
    """Sort files of these names and contents: pictures, metadata → its folder, unread, described folders, clutter."""

    def sort(*names: str, **contents: str):
        files = {**dict.fromkeys(names, "x"), **contents}
        for name, content in files.items():
            file = tmp_path / "landing" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        listing = list_landed(str(tmp_path / "landing"), never_clutter=may_be_metadata)
        result = sort_files(listing)

        def below(path: str) -> str:
            return os.path.relpath(path, tmp_path / "landing")

        return (
            [below(file.path) for file in result.pictures],
            {below(metadata.file.path): below(metadata.folder) for metadata in result.metadata},
            [below(file.path) for file in result.unread],
            sorted(below(folder) for folder in result.described),
            dict(listing.passed_over + result.sidecars),
        )

    return sort


@pytest.mark.parametrize(
    "name",
    [
        *("metadata.jsonl", "metadata.json", "Metadata.JSONL", "METADATA.csv", "metadata.ndjson", "metadata.parquet"),
        *("metadata.csv.gz", "metadata.jsonl.zst", "metadata-2026-11-01.jsonl", "metadata_2.csv", "photo metadata.csv"),
        *("metadata", "metadata (1).csv"),
    ],
)
def test_metadata_is_read_under_each_of_its_names(sort_landed, name):
    assert sort_landed("day/a.jpg", f"day/{name}") == (["day/a.jpg"], {f"day/{name}": "day"}, [], ["day"], {})


@pytest.mark.parametrize(
    "folder", ["metadata.parquet", "metadata", "Metadata.json", "image_metadata/2026", "metadata.csv/date=2026-11-01"]
)
def test_a_metadata_folder_describes_the_pictures_beside_it(sort_landed, folder):
    sorted_files = sort_landed("day/a.jpg", f"day/{folder}/part-0.json", f"day/{folder}/_SUCCESS")
    assert sorted_files == (["day/a.jpg"], {f"day/{folder}/part-0.json": "day"}, [], ["day"], {"job marker": 1})


@pytest.mark.parametrize(
    "name",
    [
        *(
            "metadata.xlsx",
            "metadata.yaml",
            "metadata.txt",
            "metadata.jsonl.part",
            ".metadata.jsonl",
            "metadata.csv.bak",
        ),
        *("metadata.zip", "metadata.csv.bz2", "metadata.tsv"),
    ],
)
def test_unread_metadata_is_refused_and_describes_its_folder(sort_landed, name):
    pictures, metadata, unread, described, _ = sort_landed("day/a.jpg", f"day/{name}")
    assert (pictures, metadata, unread, described) == (["day/a.jpg"], {}, [f"day/{name}"], ["day"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("catalogue.csv", "image_id,file,visibility\n"),
        ("index.jsonl", '{"file": "a.jpg", "private": true}'),
        ("rows.yaml", "moderation: blocked"),
        ("rows.csv", "image_id,file".encode("utf-16").decode("latin-1")),
        ("book.xlsx", "PK\x03\x04 cut"),
        ("a.json", '{"visibility": "private"}'),
    ],
)
def test_a_table_that_mentions_pictures_is_refused_and_describes_its_folder(sort_landed, name, content):
    pictures, _, unread, described, _ = sort_landed("day/a.jpg", **{f"day/{name}": content})
    assert (pictures, unread, described) == (["day/a.jpg"], [f"day/{name}"], ["day"])


def test_a_table_about_something_else_describes_no_folder(sort_landed):
    pictures, _, unread, described, _ = sort_landed("day/a.jpg", **{"day/labels.csv": "name,label\n"})
    assert (pictures, unread, described) == (["day/a.jpg", "day/labels.csv"], [], [])


@pytest.mark.parametrize("name", ["a.jpg.json", "a.json", "a.jpg.supplemental.json"])
def test_a_table_with_the_name_of_a_picture_is_its_sidecar(sort_landed, name):
    sorted_files = sort_landed("day/a.jpg", **{f"day/{name}": '{"title": "a"}'})
    assert sorted_files == (["day/a.jpg"], {}, [], [], {"sidecar": 1})


def test_pictures_are_never_metadata(sort_landed):
    names = ["metadata/metadata.jpg", "a metadata.png", "x.HEIC"]
    assert sort_landed(*names)[:3] == (sorted(names), {}, [])


def test_files_that_spark_and_macs_leave_are_clutter(sort_landed):
    sorted_files = sort_landed("a.jpg", "._metadata.jsonl", ".metadata.jsonl.crc", "_spark_metadata/0")
    assert sorted_files[:4] == (["a.jpg"], {}, [], [])


def test_metadata_that_cannot_be_opened_describes_its_folder(sort_landed, tmp_path):
    (tmp_path / "landing" / "day").mkdir(parents=True)
    (tmp_path / "landing" / "day" / "metadata.jsonl").symlink_to("nowhere")
    assert sort_landed("day/a.jpg")[3] == ["day"]


@pytest.mark.parametrize(
    "path",
    [
        *("metadata.parquet/_temporary/0/part-0.parquet", ".metadata/part-0.csv", "_metadata/part-0.csv", "_metadata"),
        *("metadata/.hidden", "metadata.csv/Thumbs.db", "metadata.csv.bak", "metadata.csv~"),
    ],
)
def test_every_file_called_metadata_or_in_such_a_folder_describes_the_pictures_beside(sort_landed, path):
    assert sort_landed("day/a.jpg", f"day/{path}")[3] == ["day"]


def test_a_table_stored_as_a_folder_describes_the_pictures_beside_it(sort_landed):
    sorted_files = sort_landed("day/a.jpg", **{"day/catalogue.csv/part-0": "image_id,visibility"})
    assert sorted_files[2:4] == (["day/catalogue.csv/part-0"], ["day"])


def test_a_link_to_metadata_of_another_folder_describes_its_own_folder(sort_landed, tmp_path):
    (tmp_path / "landing" / "d2").mkdir(parents=True)
    (tmp_path / "landing" / "d2" / "metadata").symlink_to("../d1/metadata")
    assert sort_landed("d2/a.jpg", "d1/metadata/part-0.csv")[3] == ["d1", "d2"]


def test_a_table_whose_name_is_not_utf8_describes_its_folder(sort_landed, tmp_path):
    (tmp_path / "landing" / "day").mkdir(parents=True)
    (tmp_path / "landing" / "day" / os.fsdecode(b"\xe9tat.csv")).write_text("x")
    assert sort_landed("day/a.jpg")[3] == ["day"]
