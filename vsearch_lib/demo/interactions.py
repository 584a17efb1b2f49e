"""A week of searches: who searched with which picture, what was displayed, what was clicked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.clicks import click_probability, dwell_ms
from vsearch_lib.demo.factors import grade_matrix
from vsearch_lib.demo.uploads import DAY, FIRST_DAY, UPLOAD_DAYS, Uploads, image_id, utc
from vsearch_lib.demo.users import Users

PAGE = 10
_IMPRESSIONS_PER_IMAGE = 5
_RELEVANT_ON_A_PAGE = 6
_RANKING_NOISE = 2.0  # in grades; the order of the page is better than random, and far from perfect
_CONSIDERED = 2000  # pictures that a page is chosen from: this keeps large catalogues quick


def _page(
    rng: np.random.Generator, uploads: Uploads, query: int, shown: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Indices and grades of up to PAGE of the `shown` pictures for a query, best guess first."""
    if len(shown) > _CONSIDERED:
        shown = np.unique(rng.choice(shown, size=_CONSIDERED))
    shown = rng.permutation(shown[shown != query])
    grades = grade_matrix(uploads.codes[query : query + 1], uploads.codes[shown])[0]
    # The permutation makes both parts of the page random: relevant pictures, and any others.
    relevant = np.flatnonzero(grades >= 2)[:_RELEVANT_ON_A_PAGE]
    others = np.setdiff1d(np.arange(min(len(shown), 2 * PAGE)), relevant, assume_unique=True)[: PAGE - len(relevant)]
    page = np.concatenate([relevant, others])
    page = page[np.argsort(-(grades[page] + rng.normal(0, _RANKING_NOISE, size=len(page))), kind="stable")]
    return shown[page], grades[page]


def search_days() -> range:
    """Return the midnights, in seconds since 1970, of the days with searches: each follows an upload day."""
    return range(FIRST_DAY + DAY, FIRST_DAY + (UPLOAD_DAYS + 1) * DAY, DAY)


def events_of_day(
    rng: np.random.Generator, uploads: Uploads, users: Users, midnight: int
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
        user, query = int(rng.integers(len(users.rows))), int(rng.choice(shown))
        latitude, longitude = users.homes[user] + rng.normal(0, 0.05, size=2)
        pictures, grades = _page(rng, uploads, query, shown)
        asked_at = midnight + int(second)
        request_id = f"req-{utc(asked_at)[:10]}-{number:05d}"
        request: dict[str, object] = {
            "request_id": request_id,
            "user_id": users.rows[user]["user_id"],
            "query_image_id": image_id(query),
            "latitude": round(float(latitude), 5),
            "longitude": round(float(longitude), 5),
            "index_version": "demo",
            "variant": "ab"[user % 2],
        }
        displayed = [
            {**request, "displayed_image_id": image_id(int(picture)), "position": position}
            for position, picture in enumerate(pictures, start=1)
        ]
        for item in displayed:
            event_id = f"{request_id}-i{item['position']:02d}"
            yield {**item, "event_id": event_id, "type": "impression", "dwell_ms": None, "occurred_at": utc(asked_at)}
        clicked = np.flatnonzero(rng.random(len(pictures)) < click_probability(np.arange(1, len(pictures) + 1), grades))
        clicked_at = asked_at
        for index, dwell in zip(clicked, dwell_ms(rng, grades[clicked]), strict=True):
            item, clicked_at = displayed[index], clicked_at + int(rng.integers(2, 40))
            event_id = f"{request_id}-c{item['position']:02d}"
            yield {
                **item,
                "event_id": event_id,
                "type": "click",
                "dwell_ms": int(dwell),
                "occurred_at": utc(clicked_at),
            }
