"""Files are pictures, metadata, clutter, or not certain: then no picture that they may speak of is taken in."""

import os
from pathlib import Path

import pytest

from vsearch_lib.images.metadata import may_be_metadata, sort_out
from vsearch_lib.landing.listing import list_landed


@pytest.fixture
def sorted_out(tmp_path: Path):
    """Sort files of these names and contents: pictures, metadata → the folder it is about, what is refused."""

    def sort(*names: str, **contents: str):
        files = {**dict.fromkeys(names, "x"), **contents}
        for name, content in files.items():
            file = tmp_path / "landing" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        listing = list_landed(str(tmp_path / "landing"), never_clutter=may_be_metadata)
        found = sort_out(listing)

        def below(path: str) -> str:
            return os.path.relpath(path, tmp_path / "landing")

        return (
            [below(file.path) for file in found.pictures],
            {below(metadata.file.path): below(metadata.folder) for metadata in found.metadata},
            [below(file.path) for file in found.unread],
            sorted(below(folder) for folder in found.described),
            dict(listing.passed_over + found.sidecars),
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
def test_metadata_is_read_however_it_is_called(sorted_out, name):
    assert sorted_out("day/a.jpg", f"day/{name}") == (["day/a.jpg"], {f"day/{name}": "day"}, [], ["day"], {})


@pytest.mark.parametrize(
    "folder", ["metadata.parquet", "metadata", "Metadata.json", "image_metadata/2026", "metadata.csv/date=2026-11-01"]
)
def test_a_folder_of_metadata_is_about_the_folder_it_lies_in(sorted_out, folder):
    found = sorted_out("day/a.jpg", f"day/{folder}/part-0.json", f"day/{folder}/_SUCCESS")
    assert found == (["day/a.jpg"], {f"day/{folder}/part-0.json": "day"}, [], ["day"], {"job marker": 1})


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
def test_what_looks_like_metadata_and_is_not_read_is_refused_and_speaks_of_its_folder(sorted_out, name):
    pictures, metadata, unread, described, _ = sorted_out("day/a.jpg", f"day/{name}")
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
def test_a_table_that_speaks_of_pictures_is_refused_and_speaks_of_its_folder(sorted_out, name, content):
    pictures, _, unread, described, _ = sorted_out("day/a.jpg", **{f"day/{name}": content})
    assert (pictures, unread, described) == (["day/a.jpg"], [f"day/{name}"], ["day"])


def test_a_table_about_something_else_speaks_of_nothing(sorted_out):
    pictures, _, unread, described, _ = sorted_out("day/a.jpg", **{"day/labels.csv": "name,label\n"})
    assert (pictures, unread, described) == (["day/a.jpg", "day/labels.csv"], [], [])


@pytest.mark.parametrize("name", ["a.jpg.json", "a.json", "a.jpg.supplemental.json"])
def test_a_table_named_after_a_picture_is_its_sidecar(sorted_out, name):
    found = sorted_out("day/a.jpg", **{f"day/{name}": '{"title": "a"}'})
    assert found == (["day/a.jpg"], {}, [], [], {"sidecar": 1})


def test_pictures_are_never_metadata(sorted_out):
    names = ["metadata/metadata.jpg", "a metadata.png", "x.HEIC"]
    assert sorted_out(*names)[:3] == (sorted(names), {}, [])


def test_spark_and_macs_own_files_are_clutter(sorted_out):
    found = sorted_out("a.jpg", "._metadata.jsonl", ".metadata.jsonl.crc", "_spark_metadata/0")
    assert found[:4] == (["a.jpg"], {}, [], [])


def test_metadata_that_cannot_be_opened_speaks_of_its_folder(sorted_out, tmp_path):
    (tmp_path / "landing" / "day").mkdir(parents=True)
    (tmp_path / "landing" / "day" / "metadata.jsonl").symlink_to("nowhere")
    assert sorted_out("day/a.jpg")[3] == ["day"]


@pytest.mark.parametrize(
    "path",
    [
        *("metadata.parquet/_temporary/0/part-0.parquet", ".metadata/part-0.csv", "_metadata/part-0.csv", "_metadata"),
        *("metadata/.hidden", "metadata.csv/Thumbs.db", "metadata.csv.bak", "metadata.csv~"),
    ],
)
def test_whatever_lies_in_or_is_called_metadata_speaks_of_the_folder_beside(sorted_out, path):
    assert sorted_out("day/a.jpg", f"day/{path}")[3] == ["day"]


def test_a_table_written_as_a_folder_speaks_of_the_folder_beside(sorted_out):
    found = sorted_out("day/a.jpg", **{"day/catalogue.csv/part-0": "image_id,visibility"})
    assert found[2:4] == (["day/catalogue.csv/part-0"], ["day"])


def test_a_link_to_metadata_that_is_listed_elsewhere_speaks_of_its_own_folder(sorted_out, tmp_path):
    (tmp_path / "landing" / "d2").mkdir(parents=True)
    (tmp_path / "landing" / "d2" / "metadata").symlink_to("../d1/metadata")
    assert sorted_out("d2/a.jpg", "d1/metadata/part-0.csv")[3] == ["d1", "d2"]


def test_a_table_whose_name_is_not_utf8_speaks_of_its_folder(sorted_out, tmp_path):
    (tmp_path / "landing" / "day").mkdir(parents=True)
    (tmp_path / "landing" / "day" / os.fsdecode(b"\xe9tat.csv")).write_text("x")
    assert sorted_out("day/a.jpg")[3] == ["day"]
