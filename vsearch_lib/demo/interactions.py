"""A week of searches: who asked with which picture, what was displayed, what was clicked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.clicks import click_probability, dwell_ms
from vsearch_lib.demo.factors import grade_matrix
from vsearch_lib.demo.people import People
from vsearch_lib.demo.uploads import DAY, FIRST_DAY, UPLOAD_DAYS, Uploads, image_id, utc

PAGE = 10
_IMPRESSIONS_PER_IMAGE = 5
_RELEVANT_ON_A_PAGE = 6
_RANKING_NOISE = 2.0  # in grades; the page is in a better than random order, and far from a perfect one
_CONSIDERED = 2000  # pictures a page is chosen from, which keeps large catalogues quick


def _page(
    rng: np.random.Generator, uploads: Uploads, query: int, shown: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Indices and grades of up to PAGE of the `shown` pictures for a query, best guess first."""
    if len(shown) > _CONSIDERED:
        shown = np.unique(rng.choice(shown, size=_CONSIDERED))
    shown = rng.permutation(shown[shown != query])
    grades = grade_matrix(uploads.codes[query : query + 1], uploads.codes[shown])[0]
    # The permutation makes both halves of the page random: some that share the shape, the rest whatever comes.
    relevant = np.flatnonzero(grades >= 2)[:_RELEVANT_ON_A_PAGE]
    others = np.setdiff1d(np.arange(min(len(shown), 2 * PAGE)), relevant, assume_unique=True)[: PAGE - len(relevant)]
    page = np.concatenate([relevant, others])
    page = page[np.argsort(-(grades[page] + rng.normal(0, _RANKING_NOISE, size=len(page))), kind="stable")]
    return shown[page], grades[page]


def search_days() -> range:
    """Midnights, in seconds since 1970, of the days searched on: each the day after an upload day."""
    return range(FIRST_DAY + DAY, FIRST_DAY + (UPLOAD_DAYS + 1) * DAY, DAY)


def events_of_day(
    rng: np.random.Generator, uploads: Uploads, people: People, midnight: int
) -> Iterator[dict[str, object]]:
    """Landing rows of one day's searches over what was uploaded before that day, in the order of the requests.

    Yields nothing for a day on which fewer than two pictures can be shown.
    """
    searchable = uploads.searchable()
    shown = searchable[uploads.uploaded_at[searchable] < midnight]
    if len(shown) < 2:
        return
    requests = max(1, len(uploads) * _IMPRESSIONS_PER_IMAGE // (PAGE * UPLOAD_DAYS))
    # Requests stop half an hour before midnight, so that their clicks fall on the same day.
    for number, second in enumerate(np.sort(rng.integers(6 * 3600, 23 * 3600 + 1800, size=requests))):
        user, query = int(rng.integers(len(people.rows))), int(rng.choice(shown))
        latitude, longitude = people.homes[user] + rng.normal(0, 0.05, size=2)
        pictures, grades = _page(rng, uploads, query, shown)
        asked_at = midnight + int(second)
        request_id = f"req-{utc(asked_at)[:10]}-{number:05d}"

        def event(position: int, kind: str, at: int, dwell: int | None) -> dict[str, object]:
            return {
                "event_id": f"{request_id}-{kind[0]}{position:02d}",  # noqa: B023 - called only within this turn
                "user_id": people.rows[user]["user_id"],  # noqa: B023
                "query_image_id": image_id(query),  # noqa: B023
                "displayed_image_id": image_id(int(pictures[position - 1])),  # noqa: B023
                "position": position,
                "type": kind,
                "dwell_ms": dwell,
                "latitude": round(float(latitude), 5),  # noqa: B023
                "longitude": round(float(longitude), 5),  # noqa: B023
                "occurred_at": utc(at),
                "request_id": request_id,  # noqa: B023
                "index_version": "demo",
                "variant": "ab"[user % 2],  # noqa: B023
            }

        positions = np.arange(1, len(pictures) + 1)
        clicked = rng.random(len(pictures)) < click_probability(positions, grades)
        for position in positions:
            yield event(int(position), "impression", asked_at, None)
        at = asked_at
        for position, dwell in zip(positions[clicked], dwell_ms(rng, grades[clicked]), strict=True):
            at += int(rng.integers(2, 40))
            yield event(int(position), "click", at, int(dwell))
