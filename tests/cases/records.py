"""Cases about files of records, and about the landing folders of records and pictures."""

import gzip
from pathlib import Path

import pandas as pd

from tests.cases.case import DAY, Case, Outcome, Part
from tests.cases.writing import UPLOADED, events, jpeg, numbered, put


def _interactions(case: Path) -> Path:
    return case / "landing" / "interactions"


def _by_pandas(case: Path) -> None:
    """Write a click log in which whole numbers are missing: pandas turns the others into floats, such as 1500.0."""
    log = pd.DataFrame(
        {
            "event_id": numbered("", 10),
            "user_id": "23-u0",
            "query_image_id": "query",
            "displayed_image_id": "shown",
            "position": [1, 2, 3, 4, 5] * 2,
            "type": ["impression"] * 5 + ["click"] * 5,
            "dwell_ms": [None] * 5 + [1500, 20, 30, 40, 50],
            "occurred_at": UPLOADED,
            "request_id": "request",
        }
    )

    def with_ids(form: str) -> pd.DataFrame:
        return log.assign(event_id=f"23-{form}" + log.event_id)

    day = _interactions(case) / DAY
    put(day / "a.jsonl", with_ids("json").to_json(orient="records", lines=True).encode())
    put(day / "b.csv", with_ids("csv").to_csv(index=False).encode())
    put(day / "c.parquet", with_ids("parquet").to_parquet())
    users = pd.DataFrame({"user_id": ["23-u0", "23-u1"], "age": [30, None], "email": None, "city": "here"})
    lines = users.to_json(orient="records", lines=True)
    assert "30.0" in lines
    put(case / "landing" / "users" / DAY / "users.jsonl", lines.encode())


_FORMS = ("json", "csv", "parquet")
_DWELLED = dict(enumerate(("1500", "20", "30", "40", "50"), start=5))
_CLICKS = Outcome(
    accepted=frozenset(f"23-{form}{number}" for form in _FORMS for number in range(10)),
    values={"dwell_ms": {f"23-{form}{number}": dwell for form in _FORMS for number, dwell in _DWELLED.items()}},
)
_USERS = Outcome(accepted=frozenset(["23-u0", "23-u1"]), values={"age_band": {"23-u0": "25-34", "23-u1": "unknown"}})


def _compressed(case: Path) -> None:
    day = _interactions(case) / DAY
    put(day / "plain.jsonl", events("24-plain", 5))
    put(day / "members.jsonl.gz", gzip.compress(events("24-one", 5)) + gzip.compress(events("24-two", 5)))
    put(day / "cut.jsonl.gz", gzip.compress(events("24-cut", 2_000))[:-2_000])
    put(day / "not-packed.jsonl.gz", events("24-false", 3))


def _other_names(case: Path) -> None:
    for name, content in {
        "clicks-1-2026-11-01-00-00-00-abc": events("27-bare", 5),
        "part-00000-abc.c000.json": events("27-json", 5),
        "part-00001.json.gz": gzip.compress(events("27-packed", 5)),
        "log.ndjson": events("27-ndjson", 5),
        "LOG.JSONL": events("27-upper", 5),
        "header.csv.gz": gzip.compress(b"event_id,user_id\n"),
        "cut.jsonl.zst": b"\x28\xb5\x2f\xfd",
    }.items():
        put(_interactions(case) / DAY / name, content)


_INVALID_PARTITIONS = (
    *("date=2026-13-01", "date=2026-11-1", "date=2026-02-30", "date=20261101", "date=2026-11-01 copy"),
    *("Date=2026-11-01", "dt=2026-11-01", "date=2026-11-02", "."),
)
_PICTURES = [str(Path(folder) / f"k{number}.jpg") for number, folder in enumerate(_INVALID_PARTITIONS)]


def _write_invalid_partitions(case: Path) -> None:
    for number, (folder, picture) in enumerate(zip(_INVALID_PARTITIONS, _PICTURES, strict=True)):
        put(case / "landing" / "images" / picture, jpeg(860 + number))
        put(_interactions(case) / folder / "events.jsonl", events(f"31-k{number}-", 2))


def _landing(**tables: Outcome) -> tuple[Part, ...]:
    return (Part("landing", tables),)


CASES = (
    Case(23, "pandas-float-integers", _by_pandas, _landing(interactions=_CLICKS, users=_USERS)),
    Case(
        24,
        "gzip",
        _compressed,
        _landing(
            interactions=Outcome(
                accepted=frozenset(numbered("24-plain", 5) + numbered("24-one", 5) + numbered("24-two", 5)),
                refused={
                    (f"{DAY}/cut.jsonl.gz", 0): "broken_file",
                    (f"{DAY}/not-packed.jsonl.gz", 0): "broken_file",
                },
            )
        ),
    ),
    Case(
        27,
        "records-without-known-extension",
        _other_names,
        _landing(
            interactions=Outcome(
                accepted=frozenset(
                    event
                    for kind in ("bare", "json", "packed", "ndjson", "upper")
                    for event in numbered(f"27-{kind}", 5)
                ),
                refused={(f"{DAY}/cut.jsonl.zst", 0): "broken_file"},
                passed_over={"file without records": 1},
            )
        ),
    ),
    Case(
        31,
        "odd-partitions",
        _write_invalid_partitions,
        _landing(
            images=Outcome(accepted=frozenset(_PICTURES), by_path=True),
            interactions=Outcome(accepted=frozenset(f"31-k{number}-{n}" for number in range(9) for n in range(2))),
        ),
    ),
)
