"""Does a part of a picture find its own picture? This needs no judgement, but must not be the only evidence.

A training raises this figure by telling each picture from every other. That tears alike pictures apart, and ranks worse
for people: `frozen_neighbours.py` guards against it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from vsearch_lib.images.crop import crop_jpeg
from vsearch_lib.images.decode import Limits, RefusedPicture
from vsearch_lib.measure.comparison.evidence import OWN_VIEWS, Evidence, Pair
from vsearch_lib.measure.offline.ranking import Values
from vsearch_lib.publishing.crops import box_of
from vsearch_lib.vectors import Vectors

VIEWS = 4  # of each picture: their mean changes less by chance than the figure of one view


def views_of(pictures: Iterable[tuple[str, bytes]], limits: Limits, *, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield image id and JPEG of `VIEWS` parts of each of `pictures` (image id, stored JPEG).

    The gate's rule chooses their boxes. A part that cannot be cut is left out.
    """
    for image_id, jpeg in pictures:
        for view in range(VIEWS):
            try:
                height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
                box = box_of(image_id, (width, height), min_side=limits.min_side, seed=seed + view)
                part = crop_jpeg(jpeg, box, limits)
            except (ValueError, RefusedPicture):
                continue
            yield image_id, part


def own_view_evidence(
    pair: Pair, ids: Sequence[str], vectors: Mapping[str, Vectors], shown: Sequence[str], views: Mapping[str, Vectors]
) -> Evidence:
    """Return the reciprocal rank of the own picture, and recall@1, each a mean over the views of a picture.

    Args:
        pair: the two models.
        ids: the catalogue, without copies.
        vectors: version → the vectors (n, d) of the catalogue.
        shown: the image id of each view.
        views: version → the vectors (m, d) of the views.
    """
    place = {image_id: row for row, image_id in enumerate(ids)}
    own = [place[image_id] for image_id in shown]
    values = {}
    for version in vectors:
        ranks = own_ranks(views[version], own, vectors[version])
        images, of_each = _means(shown, 1 / ranks)
        _, at_once = _means(shown, (ranks == 1).astype(np.float64))
        values[version] = Values(images, {"reciprocal_rank": of_each, "recall_at_1": at_once})
    return pair.evidence(OWN_VIEWS, "reciprocal_rank", values)


def own_ranks(views: Vectors, own: Sequence[int], catalogue: Vectors) -> NDArray[np.int64]:
    """Return the rank (m) at which each of `views` (m, d) finds the row `own` (m) of `catalogue` (n, d).

    A row that is as near as the own one counts as found before it, so that a model that gives all pictures the same
    vector finds nothing.
    """
    ranks = np.empty(len(views), dtype=np.int64)
    for i, (view, row) in enumerate(zip(views, own, strict=True)):
        cosines = catalogue @ view
        ranks[i] = np.count_nonzero(cosines >= cosines[row])
    return ranks


def _means(shown: Sequence[str], values: NDArray[np.float64]) -> tuple[list[str], NDArray[np.float64]]:
    """Return the images in order of their ids, and the mean of the values (m) of each."""
    images, numbers = np.unique(shown, return_inverse=True)
    sums = np.bincount(numbers, weights=values, minlength=len(images))
    return images.tolist(), sums / np.bincount(numbers)
