"""A week of searches: who searched with which picture, what was displayed, what was clicked.

The week is an experiment with three arms. An index version of its own answers each of the arms a and b; the two rank
the same pictures differently. A tenth of the requests, drawn at random, are the arm "random": the page of the user's
own version is shuffled, so that the position of a picture says nothing about its relevance.

Some pictures are searched with much more often than others, so that both versions answer some of the same queries.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.clicks import draw_clicks, dwell_ms
from vsearch_lib.demo.factors import grade_matrix
from vsearch_lib.demo.uploads import DAY, FIRST_DAY, UPLOAD_DAYS, Uploads, image_id, utc
from vsearch_lib.demo.users import Users

PAGE = 10
ARMS = ("a", "b")
#: The index version that answers each arm, and its ranking noise in grades: better than random, and far from perfect.
VERSIONS, RANKING_NOISE = ("demo-1", "demo-2"), (3.0, 2.0)
RANDOM_ARM, RANDOM_SHARE = "random", 0.1
_IMPRESSIONS_PER_IMAGE = 5
_RELEVANT_ON_A_PAGE = 6
_CONSIDERED = 2000  # pictures that a page is chosen from: this keeps large catalogues quick
_CHOICE_STREAM, _RANKING_STREAM = 6, 7


def popularity(images: int) -> npt.NDArray[np.float64]:
    """Return how often each picture is a query, relative to the others: shape (images,).

    It is 1 / (0.02 + u) for shares u that multiples of the golden ratio spread evenly over 0 to 1, so that the most
    popular tenth of any range of pictures gets nearly half of its requests.
    """
    shares = np.arange(images) * ((5**0.5 - 1) / 2) % 1
    return np.asarray(1 / (0.02 + shares))


def page_of(
    codes: npt.NDArray[np.int8], query: int, shown: npt.NDArray[np.bool_], version: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Return the indices and grades of up to PAGE pictures that an index version (0 or 1) answers, best guess first.

    codes: factor codes of all pictures, (n, 4). shown: whether a picture may be displayed, (n,). Both versions choose
    the same pictures. The same arguments give the same page, as the same index does.
    """
    chooser = np.random.default_rng([_CHOICE_STREAM, query])
    # Drawn from all pictures, so that those which may be displayed keep their order while others are added.
    drawn = chooser.choice(len(codes), size=min(len(codes), _CONSIDERED), replace=False)
    noise = np.random.default_rng([_RANKING_STREAM, version, query]).normal(0, RANKING_NOISE[version], size=len(drawn))
    allowed = shown[drawn] & (drawn != query)
    considered, noise = drawn[allowed], noise[allowed]
    grades = grade_matrix(codes[query : query + 1], codes[considered])[0]
    # The random order makes both parts of the page random: relevant pictures, and any others.
    relevant = np.flatnonzero(grades >= 2)[:_RELEVANT_ON_A_PAGE]
    others = np.setdiff1d(np.arange(min(len(considered), 2 * PAGE)), relevant, assume_unique=True)
    page = np.concatenate([relevant, others[: PAGE - len(relevant)]])
    page = page[np.argsort(-(grades[page] + noise[page]), kind="stable")]
    return considered[page], grades[page]


def search_days() -> range:
    """Return the midnights, in seconds since 1970, of the days with searches: each follows an upload day."""
    return range(FIRST_DAY + DAY, FIRST_DAY + (UPLOAD_DAYS + 1) * DAY, DAY)


def events_of_day(
    rng: np.random.Generator, uploads: Uploads, users: Users, midnight: int
) -> Iterator[dict[str, object]]:
    """Landing rows of one day's searches over what was uploaded before that day, in the order of the requests.

    Yields nothing for a day on which fewer than two pictures can be shown.
    """
    shown = np.zeros(len(uploads), dtype=np.bool_)
    searchable = uploads.searchable()
    shown[searchable[uploads.uploaded_at[searchable] < midnight]] = True
    if shown.sum() < 2:
        return
    asked = popularity(len(uploads)) * shown
    asked /= asked.sum()
    requests = max(1, len(uploads) * _IMPRESSIONS_PER_IMAGE // (PAGE * UPLOAD_DAYS))
    queries = rng.choice(len(uploads), size=requests, p=asked)
    # Requests stop half an hour before midnight, so that their clicks fall on the same day.
    for number, second in enumerate(np.sort(rng.integers(6 * 3600, 23 * 3600 + 1800, size=requests))):
        user, query = int(rng.integers(len(users.rows))), int(queries[number])
        latitude, longitude = users.homes[user] + rng.normal(0, 0.05, size=2)
        arm, variant = user % 2, ARMS[user % 2]
        pictures, grades = page_of(uploads.codes, query, shown, arm)
        if rng.random() < RANDOM_SHARE:
            order, variant = rng.permutation(len(pictures)), RANDOM_ARM
            pictures, grades = pictures[order], grades[order]
        asked_at = midnight + int(second)
        request_id = f"req-{utc(asked_at)[:10]}-{number:05d}"
        request: dict[str, object] = {
            "request_id": request_id,
            "user_id": users.rows[user]["user_id"],
            "query_image_id": image_id(query),
            "latitude": round(float(latitude), 5),
            "longitude": round(float(longitude), 5),
            "index_version": VERSIONS[arm],
            "variant": variant,
        }
        displayed = [
            {**request, "displayed_image_id": image_id(int(picture)), "position": position}
            for position, picture in enumerate(pictures, start=1)
        ]
        for item in displayed:
            event_id = f"{request_id}-i{item['position']:02d}"
            yield {**item, "event_id": event_id, "type": "impression", "dwell_ms": None, "occurred_at": utc(asked_at)}
        clicked = np.flatnonzero(draw_clicks(rng, grades))
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
