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
from vsearch_lib.demo.studio import draw_all, draw_one
from vsearch_lib.demo.uploads import FIRST_DAY, Uploads, date_of, image_id, metadata_row, plan_uploads
from vsearch_lib.demo.users import Users, invent_users
from vsearch_lib.errors import UsageError

#: Raise it whenever the same number of images and the same seed would give other files.
GENERATOR = 2
MIN_IMAGES = 20

_RECORD = "catalogue.json"
_PLAN_STREAM, _DEFECT_STREAM, _EVENT_STREAM, _JUDGEMENT_STREAM = 2, 3, 4, 5

Row = dict[str, object]


@dataclass(frozen=True)
class CatalogueSummary:
    """What a catalogue holds, as counts.

    images: good pictures; `copies` of them repeat another's bytes. broken: files that are not pictures.
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
    """Return the summary of an existing catalogue of this recipe, None if `out` is empty; else raise UsageError."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    try:
        record = json.loads((out / _RECORD).read_text(encoding="utf-8"))
        if record["recipe"] == recipe:
            return CatalogueSummary(**record["summary"])
        content = "another demo catalogue ({})".format(
            ", ".join(f"{key} {value}" for key, value in record["recipe"].items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        content = "something that is not a demo catalogue"
    raise UsageError(f"{out} already holds {content}; remove it, or choose another folder")


def _lines(rows: Iterable[Row]) -> Iterator[bytes]:
    for row in rows:
        yield json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write one JSON object a line and return how many; compress them if the name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("wb") as file:
        # The header has no name and no time, so that the same rows give the same bytes.
        sink = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) if path.suffix == ".gz" else file
        for line in _lines(rows):
            sink.write(line)
            count += 1
        if sink is not file:
            sink.close()
    return count


def _write_images(
    root: Path, uploads: Uploads, users: Users, *, seed: int, progress: Callable[[int, int], None] | None
) -> tuple[int, int]:
    """Write pictures and metadata, bad uploads included; return how many are broken and how many missing."""

    def path_of(index: int) -> Path:
        return root / f"date={uploads.date(index)}" / f"{image_id(index)}.jpg"

    rows: dict[str, list[Row]] = {}
    for index in range(len(uploads)):
        rows.setdefault(uploads.date(index), []).append(metadata_row(uploads, users, index))
        path_of(index).parent.mkdir(parents=True, exist_ok=True)

    orders = [(seed, int(index), from_codes(uploads.codes[index])) for index in np.flatnonzero(uploads.copy_of < 0)]
    # If a write fails, the generator is closed at once, so that no more pictures are drawn.
    with closing(draw_all(orders)) as drawn:
        for index, original in enumerate(uploads.copy_of):
            path_of(index).write_bytes(next(drawn) if original < 0 else path_of(int(original)).read_bytes())
            if progress is not None:
                progress(index + 1, len(uploads))

    intact = draw_one((seed, len(uploads), from_codes(uploads.codes[0])))
    bad = defects(np.random.default_rng([seed, _DEFECT_STREAM]), users, first_index=len(uploads), intact=intact)
    for defect in bad:
        rows[defect.date].append(defect.row)
        if defect.content is not None:
            (root / f"date={defect.date}" / str(defect.row["file"])).write_bytes(defect.content)
    for date, day_rows in rows.items():
        _write_rows(root / f"date={date}" / "metadata.jsonl", day_rows)
    missing = sum(defect.content is None for defect in bad)

    contact_sheet(uploads, path_of).save(root.parent / "contact_sheet.jpg", quality=90)
    return len(bad) - missing, missing


def _write_interactions(root: Path, uploads: Uploads, users: Users, *, seed: int) -> tuple[int, int]:
    """Write one file of events a day; return the numbers of impressions and clicks."""
    rng = np.random.default_rng([seed, _EVENT_STREAM])
    counts = {"impression": 0, "click": 0}
    for midnight in search_days():
        events = list(events_of_day(rng, uploads, users, midnight))
        for event in events:
            counts[str(event["type"])] += 1
        _write_rows(root / f"date={date_of(midnight)}" / "events.jsonl.gz", events)
    return counts["impression"], counts["click"]


def write_catalogue(
    out: Path, *, images: int, seed: int, progress: Callable[[int, int], None] | None = None
) -> CatalogueSummary:
    """Write a demo catalogue of `images` good pictures into the landing zone `out`, and return what it holds.

    The same images and seed give the same files, byte for byte. An existing catalogue of this recipe does not change.
    `progress` is called with the number of pictures done and the number of all pictures. A run that is killed does not
    change `out`.

    Raises UsageError if `out` holds anything else, if another process is writing it, or if an argument is out of range;
    VsearchError if a drawing process dies.
    """
    if images < MIN_IMAGES:
        raise UsageError(f"a demo catalogue of {images} images is too small; ask for at least {MIN_IMAGES}")
    if seed < 0:
        raise UsageError(f"the demo catalogue's seed is {seed}; give 0 or more")
    recipe = {"images": images, "seed": seed, "generator": GENERATOR}
    existing = _existing(out, recipe)
    if existing is not None:
        return existing

    rng = np.random.default_rng([seed, _PLAN_STREAM])
    users = invent_users(rng, images=images)
    uploads = plan_uploads(rng, users, images=images)
    with new_folder(out) as root:
        broken, missing = _write_images(root / "images", uploads, users, seed=seed, progress=progress)
        user_count = _write_rows(root / "users" / f"date={date_of(FIRST_DAY)}" / "users.jsonl", users.rows)
        impressions, clicks = _write_interactions(root / "interactions", uploads, users, seed=seed)
        judged_on = date_of(search_days()[-1])
        judged = judgements(np.random.default_rng([seed, _JUDGEMENT_STREAM]), uploads)
        scores = _write_rows(root / "judgements" / f"date={judged_on}" / "judgements.jsonl", judged)
        summary = CatalogueSummary(
            images=images,
            copies=int((uploads.copy_of >= 0).sum()),
            broken=broken,
            missing=missing,
            users=user_count,
            impressions=impressions,
            clicks=clicks,
            judgements=scores,
        )
        (root / _RECORD).write_text(json.dumps({"recipe": recipe, "summary": asdict(summary)}, indent=2) + "\n")
    return summary
