"""Which pictures are uploaded, when, by whom, and with which metadata; decided before any picture is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.designs import assign_designs, design_pool
from vsearch_lib.demo.factors import VALUES, Factors, from_codes
from vsearch_lib.demo.users import Users

#: Midnight, UTC, of the first upload day, in seconds since 1970.
FIRST_DAY = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
UPLOAD_DAYS = 7
DAY = 86_400

_COPY_SHARE = 0.005
_PRIVATE_SHARE = 0.03
_MODERATION, _MODERATION_SHARES = ("ok", "blocked", "unreviewed"), (0.96, 0.01, 0.03)
_FILLER_TAGS = ("gift", "home", "vintage", "sale", "handmade", "summer", "new", "cosy")


def utc(seconds: int) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, such as 2026-11-01T08:30:00Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def date_of(seconds: int) -> str:
    """The UTC date, YYYY-MM-DD, of seconds since 1970."""
    return utc(seconds)[:10]


def image_id(index: int) -> str:
    """The id of the picture with this index."""
    return f"img-{index:06d}"


@dataclass(frozen=True)
class Uploads:
    """The good uploads, oldest first; every field has one entry, or row, a picture.

    codes: factor codes, (n, 4). owners: index of a user. uploaded_at: seconds since 1970, ascending.
    copy_of: index of the earlier picture whose bytes it repeats, or -1. public: False for private ones.
    """

    codes: npt.NDArray[np.int8]
    owners: npt.NDArray[np.int64]
    uploaded_at: npt.NDArray[np.int64]
    copy_of: npt.NDArray[np.int64]
    public: npt.NDArray[np.bool_]
    moderation: list[str]
    tags: list[list[str]]

    def __len__(self) -> int:
        return len(self.codes)

    def date(self, index: int) -> str:
        """Upload date of a picture, YYYY-MM-DD."""
        return date_of(int(self.uploaded_at[index]))

    def searchable(self) -> npt.NDArray[np.int64]:
        """Indices, ascending, of the pictures that a search may show to anybody."""
        return np.flatnonzero(self.public & (np.array(self.moderation) == "ok"))


def _tags(rng: np.random.Generator, factors: Factors) -> list[str]:
    """The tags that an owner gives a picture: most of its factors, some filler, now and then a wrong factor."""
    truth = (factors.shape, factors.pattern, factors.palette, factors.material)
    tags = [word for word in truth if rng.random() < 0.8]
    if rng.random() < 0.3:
        tags.append(str(rng.choice(_FILLER_TAGS)))
    if rng.random() < 0.04:
        tags.append(str(rng.choice(VALUES[rng.integers(len(VALUES))])))
    return list(dict.fromkeys(tags))


def _times(rng: np.random.Generator, images: int) -> npt.NDArray[np.int64]:
    """Upload times, ascending: the days are equally busy, and there are no uploads at night."""
    day = np.arange(images) * UPLOAD_DAYS // images
    return np.sort(FIRST_DAY + day * DAY + rng.integers(5 * 3600, 23 * 3600, size=images))


def _copies(rng: np.random.Generator, images: int) -> npt.NDArray[np.int64]:
    """Return, for every picture, the index of the earlier picture that it copies byte for byte, or -1."""
    copy_of = np.full(images, -1, dtype=np.int64)
    # Copies come from the second half and originals from the first, so that no copy is a copy's original.
    half = images // 2
    for index in half + rng.choice(images - half, size=max(1, round(_COPY_SHARE * images)), replace=False):
        copy_of[index] = rng.integers(half)
    return copy_of


def plan_uploads(rng: np.random.Generator, users: Users, *, images: int) -> Uploads:
    """Decide everything about the good uploads of a catalogue except their pixels."""
    pool = design_pool(rng, images=images)
    designs = assign_designs(rng, designs=len(pool), images=images)
    copy_of = _copies(rng, images)
    designs = np.where(copy_of >= 0, designs[copy_of], designs)
    owners = np.empty(images, dtype=np.int64)
    for design in range(len(pool)):
        members = np.flatnonzero(designs == design)
        owners[members] = rng.choice(len(users.rows), size=len(members), p=users.taste_for(pool[design]))
    codes = pool[designs]
    return Uploads(
        codes=codes,
        owners=owners,
        uploaded_at=_times(rng, images),
        copy_of=copy_of,
        public=rng.random(images) >= _PRIVATE_SHARE,
        moderation=[str(word) for word in rng.choice(_MODERATION, size=images, p=_MODERATION_SHARES)],
        tags=[_tags(rng, from_codes(row)) for row in codes],
    )


def metadata_row(uploads: Uploads, users: Users, index: int) -> dict[str, object]:
    """The landing row of a good upload."""
    return {
        "image_id": image_id(index),
        "file": f"{image_id(index)}.jpg",
        "owner_id": users.rows[uploads.owners[index]]["user_id"],
        "uploaded_at": utc(int(uploads.uploaded_at[index])),
        "tags": uploads.tags[index],
        "visibility": "public" if uploads.public[index] else "private",
        "moderation": uploads.moderation[index],
    }
