"""What lies in the landing zone is found, whatever it is called."""

import os
from datetime import date
from pathlib import Path

import pytest

from vsearch_lib.landing.files import LandedFile, exists, files_of_table, landed_again, list_files

ODD = [
    "a b.jpg",
    "#1.jpg",
    "50%.jpg",
    "%20.jpg",
    "[x].jpg",
    "{y}.jpg",
    "qu?.jpg",
    "st*r.jpg",
    "a+b.jpg",
    "größe 東京.jpg",
]


@pytest.fixture(scope="module")
def landing(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("landing")
    contents = {
        "users/date=2024-05-06/b.jsonl": "{}\n",
        "users/date=2024-05-06/a.jsonl.gz": "{}\n",
        "users/date=2024-05-07/more/c.csv": "a\n1\n",
        "users/date=2024-05-08/d.parquet": "not opened",
        "users/date=2024-05-08/notes.txt": "not a record file",
        "users/date=2024-05-08/_SUCCESS": "written by Spark",
        "users/date=2024-05-08/.hidden.jsonl": "{}\n",
        "pictures/five.jpg": "12345",
        "pictures/none.jpg": "",
        **{f"odd/[sub folder] #1 {{50%}}/{name}": name for name in ODD},
    }
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "empty").mkdir()
    return root


def names(paths: list[str]) -> list[str]:
    return [path.rsplit("/", 1)[-1] for path in paths]


def days(files: list[LandedFile]) -> list[str]:
    return [file.landed_on.isoformat() for file in files]


def table(spark, landing: Path, *days: date) -> list[str]:
    return names([file.path for file in files_of_table(spark, str(landing), "users", days or None)])


def test_the_record_files_of_a_table_come_in_the_order_of_their_names(spark, landing):
    assert table(spark, landing) == ["a.jsonl.gz", "b.jsonl", "c.csv", "d.parquet"]


def test_a_file_landed_on_the_day_of_its_partition_or_of_its_last_change(spark, landing):
    found = days(files_of_table(spark, str(landing), "users", None))
    assert found == ["2024-05-06", "2024-05-06", "2024-05-07", "2024-05-08"]
    other = landing / "users" / "date=2024-05-06" / "b.jsonl"
    (again,) = landed_again(spark, [str(other), f"{other}.gone"])
    assert again == LandedFile(str(other), date(2024, 5, 6))
    loose = landing / "loose" / "date=2024-13-99" / "x.jsonl"
    loose.parent.mkdir(parents=True)
    loose.write_text("{}")
    os.utime(loose, (1_700_000_000, 1_700_000_000))
    assert days(landed_again(spark, [str(loose)])) == ["2023-11-14"]


def test_dates_choose_partitions(spark, landing):
    assert table(spark, landing, date(2024, 5, 7)) == ["c.csv"]
    assert table(spark, landing, date(2024, 5, 6), date(2024, 5, 8)) == ["a.jsonl.gz", "b.jsonl", "d.parquet"]


def test_dates_on_which_nothing_landed_have_nothing(spark, landing):
    assert table(spark, landing, date(2024, 5, 9)) == []
    assert table(spark, landing, date(2024, 5, 7), date(2024, 5, 9)) == ["c.csv"]


def test_a_table_without_a_folder_has_nothing(spark, landing):
    assert files_of_table(spark, str(landing), "judgements", None) == []


def test_a_folder_that_is_not_there_lists_as_nothing(spark, landing):
    assert list_files(spark, f"{landing}/none", None) is None


def test_a_listing_says_how_long_a_file_is_and_when_it_changed(spark, landing):
    rows = {Path(row["path"]).name: row for row in list_files(spark, f"{landing}/pictures", None).collect()}
    five = landing / "pictures" / "five.jpg"
    assert rows["five.jpg"]["length"] == 5
    assert rows["five.jpg"]["modificationTime"].timestamp() == pytest.approx(five.stat().st_mtime, abs=0.002)


def test_a_file_without_a_byte_is_listed(spark, landing):
    rows = {Path(row["path"]).name: row["length"] for row in list_files(spark, f"{landing}/pictures", None).collect()}
    assert rows == {"five.jpg": 5, "none.jpg": 0}


def test_odd_names_are_listed_as_they_are(spark, landing):
    paths = [row["path"] for row in list_files(spark, f"{landing}/odd", None).collect()]
    assert sorted(names(paths)) == sorted(ODD)


def test_an_odd_folder_is_itself_and_not_a_pattern(spark, landing):
    paths = [row["path"] for row in list_files(spark, f"{landing}/odd/[sub folder] #1 {{50%}}", None).collect()]
    assert sorted(names(paths)) == sorted(ODD)


def test_existence_is_told_of_files_and_folders(spark, landing):
    assert exists(spark, str(landing / "empty"))
    assert exists(spark, f"file://{landing}/pictures/five.jpg")
    assert not exists(spark, str(landing / "pictures" / "six.jpg"))
