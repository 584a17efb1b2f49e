"""Writes a demo catalogue into a landing zone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from vsearch_lib.demo.contact_sheet import contact_sheet
from vsearch_lib.demo.defects import defects
from vsearch_lib.demo.factors import from_codes
from vsearch_lib.demo.interactions import events_of_day, search_days
from vsearch_lib.demo.judgements import judgements
from vsearch_lib.demo.new_folder import new_folder
from vsearch_lib.demo.people import People, people
from vsearch_lib.demo.studio import draw_all, draw_one
from vsearch_lib.demo.uploads import FIRST_DAY, Uploads, date_of, image_id, metadata_row, plan_uploads
from vsearch_lib.errors import UsageError

#: Raise it whenever the same images and seed would give other files.
GENERATOR = 1
FEWEST_IMAGES = 20

_RECORD = "catalogue.json"
_PLAN_STREAM, _DEFECT_STREAM, _EVENT_STREAM, _JUDGEMENT_STREAM = 2, 3, 4, 5

Row = dict[str, object]


@dataclass(frozen=True)
class CatalogueSummary:
    """How many of each thing a catalogue holds.

    images: good pictures, `copies` of which repeat another's bytes. broken: files that are no pictures.
    missing: metadata rows without a file. The rest are rows.
    """

    images: int
    copies: int
    broken: int
    missing: int
    users: int
    impressions: int
    clicks: int
    judgements: int


def _existing(out: Path, recipe: dict[str, int]) -> CatalogueSummary | None:
    """The summary of the catalogue that is already there, None where there is nothing; UsageError for anything else."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    try:
        record = json.loads((out / _RECORD).read_text(encoding="utf-8"))
        if record["recipe"] == recipe:
            return CatalogueSummary(**record["summary"])
        found = "another demo catalogue ({})".format(
            ", ".join(f"{key} {value}" for key, value in record["recipe"].items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        found = "something that is not a demo catalogue"
    raise UsageError(f"{out} already holds {found}; remove it, or choose another folder")


def _lines(rows: Iterable[Row]) -> Iterator[bytes]:
    for row in rows:
        yield json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write one JSON object a line and return how many; compressed where the name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("wb") as file:
        # Neither name nor time in the header, so that the same rows give the same bytes.
        sink = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) if path.suffix == ".gz" else file
        for line in _lines(rows):
            sink.write(line)
            count += 1
        if sink is not file:
            sink.close()
    return count


def _write_images(
    root: Path, uploads: Uploads, crowd: People, *, seed: int, progress: Callable[[int, int], None] | None
) -> tuple[int, int]:
    """Write pictures and metadata, bad uploads included; return how many are broken and how many missing."""

    def place(index: int) -> Path:
        return root / f"date={uploads.date(index)}" / f"{image_id(index)}.jpg"

    rows: dict[str, list[Row]] = {}
    for index in range(len(uploads)):
        rows.setdefault(uploads.date(index), []).append(metadata_row(uploads, crowd, index))
        place(index).parent.mkdir(parents=True, exist_ok=True)

    orders = [(seed, int(index), from_codes(uploads.codes[index])) for index in np.flatnonzero(uploads.copy_of < 0)]
    # Closed at once when a write fails, so that no pictures are drawn for nothing.
    with closing(draw_all(orders)) as drawn:
        for index, original in enumerate(uploads.copy_of):
            place(index).write_bytes(next(drawn) if original < 0 else place(int(original)).read_bytes())
            if progress is not None:
                progress(index + 1, len(uploads))

    spare = draw_one((seed, len(uploads), from_codes(uploads.codes[0])))
    found = defects(np.random.default_rng([seed, _DEFECT_STREAM]), crowd, first_index=len(uploads), intact=spare)
    for defect in found:
        rows[defect.date].append(defect.row)
        if defect.content is not None:
            (root / f"date={defect.date}" / str(defect.row["file"])).write_bytes(defect.content)
    for date, day_rows in rows.items():
        _write_rows(root / f"date={date}" / "metadata.jsonl", day_rows)
    missing = sum(defect.content is None for defect in found)

    contact_sheet(uploads, place).save(root.parent / "contact_sheet.jpg", quality=90)
    return len(found) - missing, missing


def _write_interactions(root: Path, uploads: Uploads, crowd: People, *, seed: int) -> tuple[int, int]:
    """Write a file of events a day; return how many are impressions and how many clicks."""
    rng = np.random.default_rng([seed, _EVENT_STREAM])
    counts = {"impression": 0, "click": 0}
    for midnight in search_days():
        events = list(events_of_day(rng, uploads, crowd, midnight))
        for event in events:
            counts[str(event["type"])] += 1
        _write_rows(root / f"date={date_of(midnight)}" / "events.jsonl.gz", events)
    return counts["impression"], counts["click"]


def write_catalogue(
    out: Path, *, images: int, seed: int, progress: Callable[[int, int], None] | None = None
) -> CatalogueSummary:
    """Write a demo catalogue of `images` good pictures into the landing zone `out`, and say what it holds.

    The same images and seed give the same files, byte for byte. A catalogue that is already there is left alone.
    `progress` is called with how many pictures are done and how many there will be. A run that is killed leaves
    `out` as it was.

    Raises UsageError when `out` holds anything else, is being written by another process, or an argument is out of
    range; VsearchError when a drawing process dies.
    """
    if images < FEWEST_IMAGES:
        raise UsageError(f"a demo catalogue of {images} images is too small; ask for at least {FEWEST_IMAGES}")
    if seed < 0:
        raise UsageError(f"the demo catalogue's seed is {seed}; give 0 or more")
    recipe = {"images": images, "seed": seed, "generator": GENERATOR}
    existing = _existing(out, recipe)
    if existing is not None:
        return existing

    rng = np.random.default_rng([seed, _PLAN_STREAM])
    crowd = people(rng, images=images)
    uploads = plan_uploads(rng, crowd, images=images)
    with new_folder(out) as root:
        broken, missing = _write_images(root / "images", uploads, crowd, seed=seed, progress=progress)
        users = _write_rows(root / "users" / f"date={date_of(FIRST_DAY)}" / "users.jsonl", crowd.rows)
        impressions, clicks = _write_interactions(root / "interactions", uploads, crowd, seed=seed)
        judged_on = date_of(search_days()[-1])
        judged = judgements(np.random.default_rng([seed, _JUDGEMENT_STREAM]), uploads)
        scores = _write_rows(root / "judgements" / f"date={judged_on}" / "judgements.jsonl", judged)
        summary = CatalogueSummary(
            images=images,
            copies=int((uploads.copy_of >= 0).sum()),
            broken=broken,
            missing=missing,
            users=users,
            impressions=impressions,
            clicks=clicks,
            judgements=scores,
        )
        (root / _RECORD).write_text(json.dumps({"recipe": recipe, "summary": asdict(summary)}, indent=2) + "\n")
    return summary
