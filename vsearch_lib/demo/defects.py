"""Bad uploads, as every real catalogue has them: three broken files, and one that never arrived."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsearch_lib.demo.uploads import DAY, FIRST_DAY, date_of, image_id, utc
from vsearch_lib.demo.users import Users


@dataclass(frozen=True)
class Defect:
    """A landing row and the bytes of the file it names, or None if there is no such file."""

    date: str
    row: dict[str, object]
    content: bytes | None


def defects(rng: np.random.Generator, users: Users, *, first_index: int, intact: bytes) -> list[Defect]:
    """Four bad uploads with ids from `first_index` on; `intact` is a JPEG to truncate."""
    contents = (
        intact[: len(intact) * 2 // 5],  # the header is whole, so the file opens and fails only when it is decoded
        b"404 Not Found: the picture you asked for has moved.\n",
        b"",
        None,
    )
    bad = []
    for number, content in enumerate(contents):
        # Late in the evening of days 2 to 5, after the good uploads of the day.
        uploaded_at = FIRST_DAY + (number + 1) * DAY + 23 * 3600 + int(rng.integers(3600))
        name = image_id(first_index + number)
        row: dict[str, object] = {
            "image_id": name,
            "file": f"{name}.jpg",
            "owner_id": users.rows[rng.integers(len(users.rows))]["user_id"],
            "uploaded_at": utc(uploaded_at),
            "tags": ["new"],
            "visibility": "public",
            "moderation": "unreviewed",
        }
        bad.append(Defect(date_of(uploaded_at), row, content))
    return bad
