"""Rules 2 and 3 of docs/quarantine.md for records: every file is read or refused by name, and none stops others."""

import csv
import gzip
import io
import json
import os
import random

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.lake import Lake
from vsearch_lib.run.bodies import body_of

FILES = 40
WHOLE = [
    *(
        "a.jsonl",
        "part-0.json",
        "log.ndjson",
        "LOG.JSONL",
        "clicks-2024-05-06",
        "_a.jsonl",
        "größe [x]*.jsonl",
        "a.log",
    ),
    *(
        "a.jsonl.gz",
        "a.json.zst",
        "packed-without-suffix",
        "a.csv",
        "a.csv.gz",
        "utf16.csv",
        "a.parquet",
        "a.snappy.parquet",
    ),
]
REFUSED = [
    "cut.jsonl.gz",
    "text.jsonl.gz",
    "cut.parquet",
    "none.parquet",
    "book.xlsx",
    "notes.md",
    "twice.csv",
    "a.jsonl.bz2",
]
CLUTTER = ["_SUCCESS", ".a.jsonl.crc", "Thumbs.db", ".hidden.jsonl", "a.jsonl.part", "empty.jsonl", "empty.csv"]


def content(name: str, events: list[dict]) -> bytes:
    """The content of a file with these events, in the format of its name."""
    lines = "".join(f"{json.dumps(event)}\n" for event in events).encode()
    if "parquet" in name:
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(events), sink)
        return sink.getvalue()[: -9 if name.startswith("cut") else None]
    if "csv" in name:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(events[0]))
        writer.writeheader()
        writer.writerows(events)
        table = text.getvalue().replace("request_id", "user_id" if name.startswith("twice") else "request_id")
        lines = table.encode("utf-16" if name.startswith("utf16") else "utf-8")
    if name.endswith(".zst"):
        return pa.compress(lines, codec="zstd", asbytes=True)
    packed = name.endswith(".gz") or name.startswith("packed")
    lines = gzip.compress(lines) if packed and not name.startswith("text") else lines
    return lines[:-9] if name.startswith("cut") else lines


@settings(max_examples=2, deadline=None, database=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_every_file_is_read_or_refused_by_name(spark, tmp_path_factory, event, seed):
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("records")
    good, refused, landed = set(), set(), 0
    for number in range(FILES):
        name = rng.choice([*WHOLE, *WHOLE, *REFUSED, *CLUTTER, "pipe"])
        file = folder / "landing" / "interactions" / f"date=2024-05-{rng.randint(6, 9):02d}" / f"{number}" / name
        file.parent.mkdir(parents=True)
        events = [event(f"{number}-{n}", position=float(n + 1) if n == 1 else n + 1) for n in range(rng.randint(2, 5))]
        ids = {row["event_id"] for row in events}
        if name == "pipe":
            os.mkfifo(file)
        elif name in CLUTTER:
            file.write_bytes(b"" if name.startswith(("empty", "_")) else b"\1")
        else:
            broken = name in WHOLE and rng.random() < 0.3
            if broken:  # one invalid record among valid ones
                events.insert(1, event(f"{number}-x", type="hover"))
            file.write_bytes(
                {"none.parquet": b"", "book.xlsx": b"PK\x03\x04", "notes.md": b"# x"}.get(name)
                or (b"BZh9" if name.endswith("bz2") else b"" if name == "none.parquet" else content(name, events))
            )
            good |= ids if name in WHOLE else set()
            landed += len(ids) + broken if name in WHOLE else 0
        if name not in WHOLE:
            landed += 1
            refused |= {str(file)} if name not in CLUTTER else set()
    chosen = load_settings("demo", [f"var={folder}", "quality.max_refused_share=1"])
    lake = Lake(spark, chosen.lake.uri, "night")
    figures = body_of("ingest_interactions")(
        StepContext(settings=chosen, lake=lake, run_id="night", say=lambda _: None)
    )
    totals = {figure.metric: figure.value for figure in figures}
    parts = ("accepted", "unchanged", "duplicate", "refused", "passed_over")
    assert totals["interactions_landed"] == sum(totals[f"interactions_{part}"] for part in parts) == landed
    assert {row["event_id"] for row in lake.read("interactions").collect()} == good
    rows = lake.read("quarantine").collect()
    assert {row["source"] for row in rows if row["line"] == 0} == refused
    assert all(row["message"] for row in rows)
