"""A log of impressions and clicks as arrays, without pictures: a million impressions in seconds.

It is for tests of estimates, which have to find what is known here: the relevance of each pair, and how users look.
Pages come from `interactions.page_of`, and clicks from `clicks.draw_clicks`, as in the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsearch_lib.demo.clicks import ClickModel, draw_clicks
from vsearch_lib.demo.designs import assign_designs, design_pool
from vsearch_lib.demo.interactions import PAGE, RANDOM_SHARE, VERSIONS, page_of, popularity
from vsearch_lib.examples.propensity import Counts

IMAGES = 1000
BUCKETS = 20


@dataclass(frozen=True)
class ClickLog:
    """Impressions, PAGE of them for each request; every field has one entry an impression, shape (n,).

    request: number of the request. query, image: indices of pictures. grade: relevance of the image to the query, 0 to
    5, which an estimate does not know. position: from 1. version: index of the index version, 0 or 1. randomised:
    whether the page was shuffled. clicked: whether the user clicked.
    """

    request: npt.NDArray[np.int64]
    query: npt.NDArray[np.int64]
    image: npt.NDArray[np.int64]
    grade: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    version: npt.NDArray[np.int64]
    randomised: npt.NDArray[np.bool_]
    clicked: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.request)


def draw_click_log(
    rng: np.random.Generator,
    *,
    impressions: int,
    queries: int,
    model: ClickModel = "position",
    random_share: float = RANDOM_SHARE,
) -> ClickLog:
    """Draw a log of about this many impressions (a multiple of PAGE) over so many query pictures, at most IMAGES.

    Each request has a query, drawn by popularity, and one of the two versions, both with probability 1/2. The page is
    shuffled with probability `random_share`.
    """
    pool = design_pool(rng, images=IMAGES)
    codes = pool[assign_designs(rng, designs=len(pool), images=IMAGES)]
    shown = np.ones(IMAGES, dtype=np.bool_)
    asked = rng.permutation(IMAGES)[:queries]
    pages = [[page_of(codes, int(query), shown, version) for version in range(len(VERSIONS))] for query in asked]
    pictures = np.array([[picture for picture, _ in page] for page in pages])  # (queries, versions, PAGE)
    grades = np.array([[grade for _, grade in page] for page in pages], dtype=np.int64)

    requests = impressions // PAGE
    chance = popularity(queries)
    query = rng.choice(queries, size=requests, p=chance / chance.sum())
    version = rng.integers(len(VERSIONS), size=requests)
    randomised = rng.random(requests) < random_share
    order = np.tile(np.arange(PAGE), (requests, 1))
    order[randomised] = rng.permuted(order[randomised], axis=1)
    displayed = np.take_along_axis(pictures[query, version], order, axis=1)  # (requests, PAGE)
    relevance = np.take_along_axis(grades[query, version], order, axis=1)
    return ClickLog(
        request=np.repeat(np.arange(requests), PAGE),
        query=np.repeat(asked[query], PAGE),
        image=displayed.ravel(),
        grade=relevance.ravel(),
        position=np.tile(np.arange(1, PAGE + 1), requests),
        version=np.repeat(version, PAGE),
        randomised=np.repeat(randomised, PAGE),
        clicked=draw_clicks(rng, relevance, model=model).ravel(),
    )


def counts_of(log: ClickLog) -> Counts:
    """Return the counts of a log, a row for each impression."""
    return Counts(
        pair=log.query * IMAGES + log.image,
        version=log.version,
        position=log.position,
        half=log.request % 2,
        bucket=log.query % BUCKETS,
        randomised=log.randomised,
        impressions=np.ones(len(log), dtype=np.int64),
        clicks=log.clicked.astype(np.int64),
    )
