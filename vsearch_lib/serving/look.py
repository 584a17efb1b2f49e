"""What the model looks at: the box of a picture's main object, and the maps of a query and an answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import simplejpeg

from vsearch_lib.encoder.pixels import end_squares
from vsearch_lib.serving.ask import Fractions
from vsearch_lib.vectors import Vectors

if TYPE_CHECKING:  # a query with an image of the catalogue needs no network
    from vsearch_lib.encoder.activation import Located, LocatingEmbedder

# Chosen on clothing photos of the validation split and on drawn scenes (docs/benchmarks.md, "Crops and expansion").
_EDGE = 0.5  # of the way from the lowest energy to the highest: the object's outline
_MARGIN = 0.1  # of the box's sides, added on each side
_WIDE = 1.4  # longer side to shorter; beyond it, the ends of a picture are seen too
# In a picture of one colour, .69 to 1.0 of the locations have more than half of the highest energy; in others .12 to
# .81, and in 19 of 20 less than .63.
_MOST_ABOVE_HALF = 0.66
_LEAST_AREA = 0.05  # of the picture; a smaller box is noise
_FINER = 4  # values for each location of the network, so that boxes and maps are not as coarse as 7 x 7

Map = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Look:
    """Where the cosine of a query and an answer comes from: a map over each picture, rows from top to bottom.

    Values are 0 to 1: 1 is the location that adds most to the cosine, 0 one that adds nothing, speaks against, or lies
    outside the central square and is not seen.
    """

    query: Map
    answer: Map


def look(embedder: "LocatingEmbedder", query: bytes, answer: bytes) -> Look:
    """Return what the model looks at in two pictures, or parts of pictures, in the form that is embedded.

    Raises:
        ValueError: a picture has no vector.
    """
    seen, other = embedder.locate(query), embedder.locate(answer)
    return Look(_map(query, seen.contributions(other.vector)), _map(answer, other.contributions(seen.vector)))


def suggested_crop(embedder: "LocatingEmbedder", jpeg: bytes, seen: "Located") -> Fractions | None:
    """Return a box of the main object of a picture, square where the picture has room for it.

    The energy of a location is what it adds to the vector of its own square (Zhou et al. 2016, with the vector in place
    of a class). The box is that of the connected locations that stand out most, with a margin. Of a picture of up to
    7:5 only the central square is looked at, which takes no further pass; a longer one is also seen at both ends.

    Args:
        jpeg: the picture in the form that is embedded.
        seen: what `embedder.locate` returned for it.

    Returns:
        x, y, width, height as fractions of the picture's sides; None if nothing stands out.
    """
    height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
    try:
        energy = _energy(embedder, jpeg, seen, (height, width))
    except ValueError:  # an end has no vector
        return None
    finer = _resized(energy, (energy.shape[0] * _FINER, energy.shape[1] * _FINER))
    low, high = float(finer.min()), float(finer.max())
    if not high > low or (finer > high / 2).mean() > _MOST_ABOVE_HALF:
        return None
    box = _box_of_strongest(finer, low + _EDGE * (high - low))
    if box[2] * box[3] < _LEAST_AREA:
        return None
    return _squared(box, width, height)


def _energy(embedder: "LocatingEmbedder", jpeg: bytes, seen: "Located", sides: tuple[int, int]) -> Vectors:
    """Return the energy of each location of a whole picture of `sides` (height, width), (rows, columns)."""
    centre = _own_energy(seen)
    along = 0 if sides[0] > sides[1] else 1
    aspect = max(sides) / min(sides)
    if aspect < _WIDE:
        return centre
    locations = centre.shape[along]
    length = round(aspect * locations)
    total, times = (np.zeros((length, centre.shape[1 - along]), np.float32) for _ in range(2))
    ends = [_own_energy(embedder.locate_square(square)) for square in end_squares(jpeg, embedder.side)]
    for start, energy in zip(((length - locations) // 2, 0, length - locations), (centre, *ends), strict=True):
        total[start : start + locations] += energy if along == 0 else energy.T
        times[start : start + locations] += 1
    # Between the squares of a very long picture nothing is seen.
    whole = np.where(times > 0, total / np.maximum(times, 1), centre.min())
    return whole if along == 0 else np.ascontiguousarray(whole.T)


def _own_energy(seen: "Located") -> Vectors:
    """Return what each location adds to its square's vector, before that is brought to unit length."""
    return np.maximum(seen.contributions(seen.vector) * seen.length, 0)


def _box_of_strongest(energy: Vectors, edge: float) -> Fractions:
    """Return the box of the connected locations of at least `edge` that have the most energy together."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((energy >= edge).astype(np.uint8), connectivity=4)
    together = np.bincount(labels.ravel(), weights=energy.ravel(), minlength=count)
    x, y, width, height = (int(value) for value in boxes[1 + int(np.argmax(together[1:]))][:4])
    rows, columns = energy.shape
    return x / columns, y / rows, width / columns, height / rows


def _squared(box: Fractions, width: int, height: int) -> Fractions:
    """Return a box with a margin, as a square of pixels where a picture of these sides has room for it.

    The network sees the central square of a crop, so that nothing of a square is lost.
    """
    across, down = box[2] * width * (1 + 2 * _MARGIN), box[3] * height * (1 + 2 * _MARGIN)
    side = min(max(across, down), width, height)
    across, down = min(max(across, side), width), min(max(down, side), height)
    x = min(max((box[0] + box[2] / 2) * width - across / 2, 0), width - across)
    y = min(max((box[1] + box[3] / 2) * height - down / 2, 0), height - down)
    return x / width, y / height, across / width, down / height


def _map(jpeg: bytes, contributions: Vectors) -> Map:
    """Return the map over the whole picture that contributions in its central square make."""
    height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
    square = np.maximum(_resized(contributions, tuple(_FINER * n for n in contributions.shape)), 0)
    square /= max(float(square.max()), np.finfo(np.float32).tiny)
    shorter = min(height, width)
    around = [(round((side / shorter - 1) * n / 2),) * 2 for side, n in zip((height, width), square.shape, strict=True)]
    rows: list[list[float]] = np.pad(square, around).round(3).tolist()
    return tuple(map(tuple, rows))


def _resized(values: Vectors, shape: tuple[int, ...]) -> Vectors:
    resized = cv2.resize(values.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(resized, dtype=np.float32)
