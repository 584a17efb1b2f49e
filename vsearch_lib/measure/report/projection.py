"""The vectors of the published index in a plane, as a map of pictures."""

from collections.abc import Sequence
from importlib import import_module
from typing import Literal

import numpy as np

from vsearch_lib.errors import UsageError
from vsearch_lib.report.pictures import Picture, PictureMap, spots_of
from vsearch_lib.vectors import Vectors

Method = Literal["pca", "umap"]
_NOTES = {
    "pca": "The two directions in which the vectors differ most (principal components).",
    "umap": "A plane in which neighbours stay neighbours (UMAP); distances between groups mean little.",
}


def picture_map(pictures: Sequence[Picture], vectors: Vectors, method: Method, *, seed: int) -> PictureMap:
    """Return the map of pictures by their unit vectors (n, d); each is a random image that everybody may see.

    Raises:
        UsageError: `method` is umap, which is not installed.
    """
    places = principal_plane(vectors) if method == "pca" else _umap_plane(vectors, seed=seed)
    note = f"{_NOTES[method]} {len(pictures)} images, chosen at random; a dot is an image that another one covers."
    return PictureMap("", note, spots_of(pictures, [(float(x), float(y)) for x, y in places]))


def principal_plane(vectors: Vectors) -> Vectors:
    """Return the first two principal components of the rows of (n, d), as (n, 2); zeros if there are fewer.

    The sign of a component is such that its largest loading is positive, so that equal vectors make equal maps.
    """
    centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    largest = np.abs(directions[:2]).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(largest)), largest])
    plane = np.zeros((len(vectors), 2), dtype=np.float32)
    plane[:, : len(largest)] = centred @ (directions[:2] * signs[:, None]).T
    return plane


def _umap_plane(vectors: Vectors, *, seed: int) -> Vectors:
    try:
        umap = import_module("umap")
    except ImportError:
        raise UsageError(
            "reports.projection is umap, which is not installed: install umap-learn, or set it to pca"
        ) from None
    neighbours = min(15, len(vectors) - 1)
    made = umap.UMAP(n_components=2, metric="cosine", random_state=seed, n_neighbors=neighbours)
    return np.asarray(made.fit_transform(vectors), dtype=np.float32)
