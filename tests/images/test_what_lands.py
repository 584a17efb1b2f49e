"""The rules of docs/quarantine.md hold for random folders: counts add up, and private pictures are never public.

One run ingests many days, each in its own folder: good and broken files, unusual names, unreadable and unknown files,
and metadata in random formats, partly broken.
"""

import csv
import gzip
import io
import json
import os
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

DAYS = 30
NAMES = [
    *("a.png", "_MG_1.JPG", "größe.png", "new\nline.png", "[x] {y}*?.png", "50% #1.png", "sub/_x/b.png", 'quote"d.png'),
    *("comma,d.png", "back\\slash.png", "metadata.png", "\x1b[31m.png", " lead.png", "7.0.png"),
]
CLUTTER = ["Thumbs.db", "._a.png", "a.MOV", "a.xmp", "@eaDir/a.png", "_SUCCESS", ".git/x", "b.png.part"]
UNKNOWN = {
    "notes.txt": b"notes",
    "labels.csv": b"name,label\n",
    "page.png": b"<html>",
    "none.png": b"",
    "cut.png": None,
}


@dataclass
class Day:
    """The content of a folder, and the expected result. The id of each image is its path below the landing folder."""

    folder: Path
    good: set[str] = field(default_factory=set)  # must be accepted
    private: set[str] = field(default_factory=set)  # a row makes it private: it must not be public
    landed: int = 0


def rows_as(form: str, rows: list[dict]) -> tuple[str, bytes]:
    """An intact metadata file: its name and content."""
    names = ["image_id", "file", "owner_id", "uploaded_at", "visibility", "title"]
    if "parquet" in form:
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in names])), sink)
        return form, sink.getvalue()
    if "csv" in form:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(rows)
        content = text.getvalue().encode("utf-16" if form == "metadata 16.csv" else "utf-8")
    else:
        content = "".join(f"{json.dumps({k: v for k, v in row.items() if v})}\n" for row in rows).encode()
    return form, gzip.compress(content) if form.endswith(".gz") else content


WHOLE = [
    *("metadata.jsonl", "Metadata.json", "metadata-1.ndjson", "metadata.csv", "metadata.jsonl.gz", "METADATA.csv.gz"),
    *("metadata.parquet", "metadata.parquet/part-0.snappy.parquet", "metadata 16.csv", "metadata/part-0.json"),
]


def broken_file(rng: random.Random, rows: list[dict]) -> tuple[str, bytes]:
    """A metadata file that must be refused as a whole: its name and content."""
    _, content = rows_as(rng.choice(WHOLE), rows)
    text = rows_as("metadata.csv", rows)[1]
    return rng.choice(
        [
            ("metadata.xlsx", b"PK\x03\x04" + content),
            ("metadata.yaml", content),
            ("metadata.jsonl.part", content),
            ("catalogue.csv", text),
            ("metadata.csv", text.replace(b"title", b"visibility")),
            ("metadata.csv", text.replace(b"visibility", b"visibilty")),
            ("metadata.csv", text.replace(b"image_id,file", "größe,file".encode("latin-1"))),
            ("metadata.jsonl.gz", gzip.compress(content * 20)[:-9]),
            ("metadata.jsonl.gz", content[:1] + content),
            ("metadata.parquet", rows_as("metadata.parquet", rows)[1][:-9]),
        ]
    )


def break_row(rng: random.Random, line: str) -> str:
    """A row of CSV, damaged so that it does not fit its header."""
    return rng.choice([f"{line},more", line.rpartition(",")[0], f'{line},"unclosed', f'"x"y{line}', f"{line}\udcff"])


def make_day(rng: random.Random, folder: Path, below: str, picture) -> Day:
    """Fill a folder with random files."""
    day = Day(folder)

    def put(name: str, content: bytes) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        day.landed += 1

    def id_of(name: str) -> str:
        return f"{below}/{name}"

    pictures = rng.sample(NAMES, rng.randint(0, 4))
    for name in pictures:
        put(name, picture(rng.randrange(200)))
    for name in rng.sample(CLUTTER, rng.randint(0, 2)):
        put(name, b"\1")
    for name in rng.sample(sorted(UNKNOWN), rng.randint(0, 2)):
        content = UNKNOWN[name]
        put(name, picture(0)[:60] if content is None else content)
    folder.mkdir(parents=True, exist_ok=True)
    if rng.random() < 0.3:
        os.mkfifo(folder / "pipe.png")
        (folder / "nowhere.png").symlink_to("gone.png")
        (folder / os.fsdecode(b"\xe9.png")).write_bytes(b"x")
        (folder / "up").symlink_to("..")
        day.landed += 4
    kind = rng.choice(["none", "whole", "whole", "broken rows", "broken file", "both"])
    if kind == "none":
        day.good = {id_of(name) for name in pictures}
        return day
    rows = [
        {
            "image_id": id_of(name), "file": name, "owner_id": "o", "uploaded_at": "2024-05-06T07:08:09Z",
            "visibility": rng.choice(["public", "private", None]), "title": rng.choice(["plain", 'two\nlines, "q"']),
        }
        for name in pictures
        if rng.random() < 0.8
    ]  # fmt: skip
    day.private = {row["image_id"] for row in rows if row["visibility"] == "private"}
    if kind in ("whole", "both"):
        name, content = rows_as(rng.choice(WHOLE), rows)
        put(name, content)
        day.good = {row["image_id"] for row in rows}
        # A metadata file counts by its rows, and a row counts as the picture it names; a file without rows is clutter.
        day.landed -= bool(rows)
    if kind in ("broken file", "both"):
        name, content = broken_file(rng, rows)
        if not (folder / name).exists() and not (folder / name.partition("/")[0]).is_dir():
            put(name, content)
    if kind == "broken rows":
        lines = ["image_id,file,owner_id,uploaded_at,visibility"]
        for row in rows:
            row_text = io.StringIO(newline="")
            csv.writer(row_text).writerow([v or "" for k, v in row.items() if k != "title"])
            whole = rng.random() < 0.6 or "\n" in row["file"]
            line = row_text.getvalue().removesuffix("\r\n")
            lines.append(line if whole else break_row(rng, line))
            day.good |= {row["image_id"]} if whole else set()
            day.landed += not whole
        put("metadata.csv", "\n".join([*lines, ""]).encode("utf-8", "surrogateescape"))
        day.landed -= bool(rows)
    return day


@settings(max_examples=3, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 2**32))
def test_counts_add_up_and_private_pictures_stay_private_and_good_ones_are_accepted(
    tmp_path_factory, make, ingest, seed
):
    rng = random.Random(seed)
    landing = make.landing(tmp_path_factory.mktemp("random") / "landing")
    days = []
    for number in range(DAYS):
        below = f"date={date(2024, 5, 6) + timedelta(days=number)}"
        days.append(make_day(rng, landing.folder / below, below, make.picture))
    lake, figures = ingest(landing, "night", "quality.max_refused_share=1")

    parts = ("accepted", "unchanged", "duplicate", "refused", "passed_over")
    assert figures["images_landed"] == sum(figures[f"images_{part}"] for part in parts)
    # A link to the parent leads to the day's folder again, and is passed over.
    assert figures["images_landed"] == sum(day.landed for day in days)

    images = {row["image_id"]: row["visibility"] for row in lake.read("images").collect()}
    private = set().union(*(day.private for day in days))
    assert {image_id for image_id in private if images.get(image_id) == "public"} == set()
    assert set().union(*(day.good for day in days)) == set(images)
    for row in lake.read("quarantine").collect():
        assert row["message"], row
        assert "\n" not in row["message"], row
