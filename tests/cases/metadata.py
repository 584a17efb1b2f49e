"""Cases about metadata as spreadsheets, pandas, Spark and people write it."""

import csv
import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.cases.case import DAY, Case, Outcome, Part, Source
from tests.cases.writing import UPLOADED, json_lines, numbered, put, put_pictures, row

NEXT_DAY = "date=2026-11-02"


def _refused_without_row(*files: str, day: str = DAY) -> dict[Source, str]:
    """Return the refusals of pictures that no row names."""
    return {(f"{day}/{file}", 0): "missing_metadata" for file in files}


def _described(folder: str, *image_ids: str, **more: object) -> Part:
    """Return a part of pictures whose ids come from metadata."""
    return Part(folder, {"images": Outcome(accepted=frozenset(image_ids), **more)})


def _quoted_newline(case: Path) -> None:
    day = case / "photos" / DAY
    put_pictures(day, numbered("p", 8, ".jpg"), first_seed=700)
    sink = io.StringIO()
    sheet = csv.writer(sink)
    sheet.writerow(["image_id", "file", "owner_id", "uploaded_at", "tags", "title", "visibility"])
    for number in range(8):
        title = "Blue shirt,\nslim fit" if number == 3 else "plain"
        visibility = "private" if number in (3, 4) else "public"
        sheet.writerow([f"17-p{number}", f"p{number}.jpg", "owner", UPLOADED, "red|shirt", title, visibility])
    put(day / "metadata.csv", sink.getvalue().encode())


_RAGGED = (
    f"19-r0,r0.jpg,owner,{UPLOADED},public,red",
    f"19-r1,r1.jpg,owner,{UPLOADED},private,red,blue,green",
    f"19-r2,r2.jpg,owner,{UPLOADED}",
    f'19-r3,r3.jpg,owner,{UPLOADED},public,"red"blue"',
    f"19-r4,r4.jpg,Smith, John,{UPLOADED},private,red",
    f'19-r5,r5.jpg,owner,{UPLOADED},public,"unclosed',
)


def _ragged(case: Path) -> None:
    put_pictures(case / "photos" / DAY, numbered("r", 6, ".jpg"), first_seed=720)
    header = "image_id,file,owner_id,uploaded_at,visibility,tags"
    put(case / "photos" / DAY / "metadata.csv", "\n".join([header, *_RAGGED, ""]).encode())
    put_pictures(case / "dup" / DAY, numbered("d", 3, ".jpg"), first_seed=730)
    twice = [f"19-d{number},d{number}.jpg,owner,{UPLOADED},private,red,private" for number in range(3)]
    put(case / "dup" / DAY / "metadata.csv", "\n".join([f"{header},visibility", *twice, ""]).encode())


def _nanoseconds(case: Path) -> None:
    day = case / "photos" / DAY
    put_pictures(day, numbered("n", 4, ".jpg"), first_seed=740)
    rows = pd.DataFrame([row(f"20-n{number}", f"n{number}.jpg", tags=["a", "b"]) for number in range(4)])
    sink = io.BytesIO()
    rows.assign(uploaded_at=pd.to_datetime(rows.uploaded_at)).to_parquet(sink)
    assert pq.read_schema(sink).field("uploaded_at").type.unit == "ns"
    put(day / "metadata.parquet", sink.getvalue())


def _null_column(case: Path) -> None:
    day = case / "photos" / DAY
    put_pictures(day, numbered("m", 4, ".jpg"), first_seed=750)
    rows = [row(f"21-m{number}", f"m{number}.jpg", moderation=None) for number in range(4)]
    sink = io.BytesIO()
    pd.DataFrame(rows).to_parquet(sink)
    assert pq.read_schema(sink).field("moderation").type == pa.null()
    put(day / "metadata.parquet", sink.getvalue())


def _parquet(rows: list[dict[str, object]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


# Files that an interrupted uploader left: folder → file, content, reason of refusal (None: no refusal).
_BROKEN_FILES: Mapping[str, tuple[str, bytes, str | None]] = {
    "empty-parquet": ("metadata.parquet", b"", "empty_file"),
    "cut-parquet": ("metadata.parquet", _parquet([row("22-good0", "good0.jpg")])[:-30], "broken_file"),
    "empty-csv": ("metadata.csv", b"", None),
    "header-only-csv": ("metadata.csv", b"image_id,file,owner_id,uploaded_at\n", None),
    "empty-jsonl": ("metadata.jsonl", b"", None),
}


def _write_broken_files(case: Path) -> None:
    for folder, (name, content, _) in _BROKEN_FILES.items():
        put_pictures(case / folder / DAY, numbered("good", 4, ".jpg"), first_seed=760)
        put(case / folder / DAY / name, content)
        put_pictures(case / folder / NEXT_DAY, numbered("next", 4, ".jpg"), first_seed=770)
        rows = [row(f"22-{folder}-next{number}", f"next{number}.jpg") for number in range(4)]
        put(case / folder / NEXT_DAY / "metadata.jsonl", json_lines(rows))


def _part_of_broken_file(folder: str) -> Part:
    name, _, reason = _BROKEN_FILES[folder]
    of_file = {(f"{DAY}/{name}", 0): reason} if reason else {}
    return _described(
        folder,
        *numbered(f"22-{folder}-next", 4),
        refused={**of_file, **_refused_without_row(*numbered("good", 4, ".jpg"))},
        passed_over={} if reason else {"file without records": 1},
    )


_PRIVATE, _UNNAMED = 4, 6  # pictures that each file below makes private, and pictures that no row names
_OTHER_NAMES = {
    "json": "metadata.json",
    "upper": "Metadata.jsonl",
    "csvgz": "metadata.csv.gz",
    "dated": "metadata-2026-11-01.jsonl",
    "sparkdir": "metadata.parquet/part-00000-abc.c000.snappy.parquet",
}


def _write_other_names(case: Path) -> None:
    for folder, name in _OTHER_NAMES.items():
        day = case / folder / DAY
        put_pictures(day, numbered("good", _PRIVATE + _UNNAMED, ".jpg"), first_seed=780)
        rows = [row(f"26-{folder}{n}", f"good{n}.jpg", visibility="private") for n in range(_PRIVATE)]
        if name.endswith(".parquet"):
            put(day / name, _parquet(rows))
            put(day / "metadata.parquet" / "_SUCCESS", b"")
        elif name.endswith(".csv.gz"):
            text = "\n".join([",".join(rows[0]), *(",".join(map(str, fields.values())) for fields in rows), ""])
            put(day / name, gzip.compress(text.encode()))
        else:
            put(day / name, json_lines(rows))


def _part_of_other_name(folder: str) -> Part:
    named = frozenset(numbered(f"26-{folder}", _PRIVATE))
    outcome = Outcome(
        accepted=named,
        private=named,
        refused=_refused_without_row(*(f"good{number}.jpg" for number in range(_PRIVATE, _PRIVATE + _UNNAMED))),
        passed_over={"job marker": 1} if folder == "sparkdir" else {},
    )
    return Part(folder, {"images": outcome}, stops_by_default=True)


def _lines_of_all_kinds(case: Path) -> None:
    day = case / "photos" / DAY
    put_pictures(day, numbered("good", 8, ".jpg"), first_seed=790)
    rows = [json.dumps(row(f"28-good{number}", f"good{number}.jpg")).encode() for number in range(8)]
    objects = [line.removesuffix(b"}") for line in rows]
    lines = [
        b"\xef\xbb\xbf" + rows[0] + b"\r",
        rows[1] + b",",
        rows[2] + b"\r",
        objects[3] + b', "weight": NaN}',
        objects[4] + b",}",
        objects[5] + b', "blob": "' + b"x" * 3_000_000 + b'"}',
        rows[6],
        bytes(4_096),
        b"[" + rows[7] + b"]",
        b"// comment",
    ]
    put(day / "metadata.jsonl", b"\n".join([*lines, b""]))


# A time as people write it, and the moment it means; None if it is refused.
TIMES: tuple[tuple[object, str | None], ...] = (
    ("2026-11-01T10:00:00Z", "2026-11-01 10:00:00"),
    ("2026-11-01 10:00:00", "2026-11-01 10:00:00"),
    ("2026-11-01T10:00:00.123456789Z", "2026-11-01 10:00:00.123456"),
    ("2026-11-01T10:00:00+05:30", "2026-11-01 04:30:00"),
    ("2026-11-01T10:00:00-0500", "2026-11-01 15:00:00"),
    ("2026-11-01T10:00:00 America/New_York", "2026-11-01 15:00:00"),
    ("2026-11-01", "2026-11-01 00:00:00"),
    (1_793_527_200, None),
    (1_793_527_200_000, None),
    ("1793527200", None),
    ("2026-11-01T24:00:00Z", None),
    ("2026-10-31T23:59:60Z", None),
    ("11/01/2026 10:00", None),
    ("2026-11-01T10:00:00z", "2026-11-01 10:00:00"),
    ("2026-11-01T02:30:00 Europe/Berlin", "2026-11-01 01:30:00"),
    ("2026-03-29T02:30:00 Europe/Berlin", "2026-03-29 01:30:00"),  # does not exist: clocks went from 2 to 3
    ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00"),
    ("9999-12-31T23:59:59Z", None),
    ("2026-11-01T10:00:00+99:00", None),
    (None, None),
)


def _times(case: Path) -> None:
    day = case / "photos" / DAY
    put_pictures(day, numbered("t", len(TIMES), ".jpg"), first_seed=800)
    rows = [row(f"29-t{n}", f"t{n}.jpg", uploaded_at=written) for n, (written, _) in enumerate(TIMES)]
    put(day / "metadata.jsonl", json_lines(rows))


def _reason(written: object) -> str:
    if written is None:
        return "missing_field"
    return "time_in_future" if str(written).startswith("9999") else "malformed_line"


def _part_times() -> Part:
    read = {f"29-t{number}": moment for number, (_, moment) in enumerate(TIMES) if moment}
    refused = {
        (f"{DAY}/metadata.jsonl", line): _reason(written)
        for line, (written, moment) in enumerate(TIMES, start=1)
        if moment is None
    }
    return _described("photos", *read, refused=refused, values={"uploaded_at": read})


CASES = (
    Case(
        17,
        "csv-quoted-newline",
        _quoted_newline,
        (_described("photos", *numbered("17-p", 8), private=frozenset(["17-p3", "17-p4"])),),
    ),
    Case(
        19,
        "csv-ragged",
        _ragged,
        (
            _described(
                "photos",
                "19-r0",
                refused={
                    **{(f"{DAY}/metadata.csv", line): "malformed_line" for line in range(3, 8)},
                    **_refused_without_row(*(f"r{number}.jpg" for number in range(1, 6))),
                },
            ),
            Part(
                "dup",
                {
                    "images": Outcome(
                        refused={
                            (f"{DAY}/metadata.csv", 0): "malformed_header",
                            **_refused_without_row(*numbered("d", 3, ".jpg")),
                        },
                        messages={(f"{DAY}/metadata.csv", 0): "visibility is there twice"},
                    )
                },
                stops_by_default=True,
            ),
        ),
    ),
    Case(20, "parquet-nanos", _nanoseconds, (_described("photos", *numbered("20-n", 4)),)),
    Case(21, "parquet-null-column", _null_column, (_described("photos", *numbered("21-m", 4)),)),
    Case(22, "broken-metadata-file", _write_broken_files, tuple(map(_part_of_broken_file, _BROKEN_FILES))),
    Case(26, "metadata-not-recognised", _write_other_names, tuple(map(_part_of_other_name, _OTHER_NAMES))),
    Case(
        28,
        "jsonl-oddities",
        _lines_of_all_kinds,
        (
            _described(
                "photos",
                *(f"28-good{number}" for number in (0, 2, 3, 5, 6)),
                refused={
                    **{(f"{DAY}/metadata.jsonl", line): "malformed_line" for line in (2, 5, 8, 9, 10)},
                    **_refused_without_row("good1.jpg", "good4.jpg", "good7.jpg"),
                },
            ),
        ),
    ),
    Case(29, "timestamps", _times, (_part_times(),)),
)
