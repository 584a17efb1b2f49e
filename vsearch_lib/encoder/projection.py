"""From a backbone's features to vectors: centre, project, and bring to unit length. In float32, without torch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from vsearch_lib.errors import ArtefactError
from vsearch_lib.vectors import Vectors

# The mean of a few pictures is unreliable: it is computed as if this many more had features of zero. So even the only
# picture of a catalogue has a vector.
_PRIOR_PICTURES = 8
_MIN_VARIANCE = 1e-6  # of an axis, relative to the first axis; lower variance is rounding


@dataclass(frozen=True)
class HiddenLayer:
    """Rectified units that a projection adds: `inner` (units, width) and `outer` (dimension, units), float32."""

    inner: Vectors
    outer: Vectors


@dataclass(frozen=True)
class Projection:
    """A map of features of unit length: `axes` (dimension, width) and `mean` (width), float32.

    It is linear, axes·(features - mean). A hidden layer adds outer·max(0, inner·(features - mean)).
    """

    mean: Vectors
    axes: Vectors
    hidden: HiddenLayer | None = None

    @property
    def dimension(self) -> int:
        """The length of a projected vector."""
        return int(self.axes.shape[0])

    def apply(self, features: Vectors) -> Vectors:
        """Return (n, dimension) float32 of features (n, width) of unit length; the length of the result varies."""
        centred = features - self.mean
        vectors = centred @ self.axes.T
        if self.hidden is not None:
            vectors = vectors + np.maximum(centred @ self.hidden.inner.T, 0) @ self.hidden.outer.T
        return np.asarray(vectors, dtype=np.float32)

    def serialise(self) -> bytes:
        """Return the arrays as safetensors."""
        arrays = {"mean": self.mean, "axes": self.axes} | (vars(self.hidden) if self.hidden is not None else {})
        return bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))

    @staticmethod
    def deserialise(content: bytes) -> "Projection":
        """Return the projection in `content`.

        Raises:
            ArtefactError: it is not safetensors, or not arrays that fit each other.
        """
        try:
            arrays = {name: array.astype(np.float32) for name, array in load(content).items()}
            mean, axes = arrays["mean"], arrays["axes"]
            hidden = HiddenLayer(arrays["inner"], arrays["outer"]) if {"inner", "outer"} & set(arrays) else None
        except (SafetensorError, KeyError) as error:
            raise ArtefactError(f"a model's projection cannot be read: {error}") from None
        fits = axes.ndim == 2 and mean.shape == axes.shape[1:]
        if hidden is not None:
            units = hidden.inner.shape[:1]
            fits = fits and hidden.inner.shape == units + mean.shape and hidden.outer.shape == axes.shape[:1] + units
        if not fits:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise ArtefactError(f"a model's projection does not fit together: {shapes}")
        return Projection(mean, axes, hidden)


def fit_pca(features: Vectors, *, dimension: int, seed: int) -> tuple[Projection, float]:
    """Return the principal axes of features (n, width) of unit length, and the share of their variance that is kept.

    Fewer pictures than `dimension` span fewer axes. Then seeded random directions at right angles to these are added,
    so that a picture unlike the whole catalogue still has a vector of its own.

    Raises:
        ValueError: `dimension` exceeds the width.
    """
    n, width = features.shape
    if dimension > width:
        raise ValueError(f"{dimension} axes cannot be taken from {width} features")
    wide = features.astype(np.float64)
    mean = wide.sum(axis=0) / (n + _PRIOR_PICTURES)
    centred = wide - (wide.mean(axis=0) if n else 0)
    variances, directions = np.linalg.eigh(centred.T @ centred)
    variances, directions = variances[::-1], directions[:, ::-1]
    kept = min(dimension, int((variances > max(variances[0] * _MIN_VARIANCE, 0)).sum()) if n > 1 else 0)
    principal = _with_fixed_signs(directions[:, :kept])
    # QR changes only the signs of the first columns, and makes the others orthogonal to them.
    random = np.random.default_rng(seed).standard_normal((width, dimension - kept))
    filling = np.linalg.qr(np.concatenate([principal, random], axis=1))[0][:, kept:]
    axes = np.concatenate([principal, filling], axis=1).T
    total = float(variances.clip(0).sum())
    explained = float(variances[:kept].sum()) / total if total else 0.0
    return Projection(mean.astype(np.float32), axes.astype(np.float32)), explained


def _with_fixed_signs(directions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return columns whose largest entry is positive, because linear algebra libraries differ in their signs."""
    if not directions.size:
        return directions
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=0)[None], axis=0)
    return np.asarray(directions * np.where(largest < 0, -1.0, 1.0))
