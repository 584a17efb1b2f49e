"""Random views of stored pictures, made without torch: a picture, a number and a recipe always give the same view.

The transformations are those of `training.augment` without foreign surroundings, for a task has one picture at a time.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from vsearch_lib.encoder.embed import Embedded, Embedder, Jpeg
from vsearch_lib.encoder.pixels import Pixels, to_square
from vsearch_lib.examples.boxes import Boxes

# To be raised when the code or a constant below changes what views look like.
_RELEASE = 1

MAX_TURN_DEGREES = 30.0
BRIGHTNESS = CONTRAST = 0.35
SATURATION = 0.4
TINT = 0.12  # gain of each colour channel, as of a warm or a cold lamp
GREY_SHARE = 0.1
ERASED_SHARE = 0.5
ERASED_SIDES = (0.15, 0.45)  # of the view's side
# Pictures are decoded a little larger than the views cut from them, so that a crop does not blow pixels up.
_DECODED_TO_VIEW = 1.25

# Recipes whose quantiles differ by less are the same to a training: .05 of a side, and 5 % of width / height.
_ALIKE = 0.05

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ViewRecipe:
    """How views are made: evenly spaced quantiles of the crops' sides and log aspects (see `Boxes`), and the code."""

    sides: tuple[float, ...]
    log_aspects: tuple[float, ...]
    release: int = _RELEASE

    @staticmethod
    def of(boxes: Boxes) -> "ViewRecipe":
        """Return the recipe of views that show what people draw boxes round."""
        return ViewRecipe(boxes.sides, boxes.log_aspects)

    @property
    def text(self) -> str:
        """The recipe as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def read(text: str) -> "ViewRecipe":
        """Return the recipe of a `text`."""
        fields = json.loads(text)
        return ViewRecipe(tuple(fields["sides"]), tuple(fields["log_aspects"]), fields["release"])

    def is_like(self, other: "ViewRecipe") -> bool:
        """Return whether views of the other recipe are as good: made by the same code, of almost the same crops."""
        if (self.release, len(self.sides)) != (other.release, len(other.sides)):
            return False
        apart = np.subtract([self.sides, self.log_aspects], [other.sides, other.log_aspects])
        return bool(np.abs(apart).max() < _ALIKE)

    def draw(self, square: Pixels, out: Pixels, *, sha256: str, number: int) -> None:
        """Write view `number` of the picture `square`, RGB of any side, to `out`, (side, side, 3) RGB from 0 to 255."""
        seed = hashlib.sha256(f"{sha256} {number}".encode()).digest()
        random = np.random.default_rng(np.frombuffer(seed, np.uint32))
        view = self._crop_and_turn(square, len(out), random)
        gains = random.uniform(1 - BRIGHTNESS, 1 + BRIGHTNESS) * random.uniform(1 - TINT, 1 + TINT, 3)
        contrast = random.uniform(1 - CONTRAST, 1 + CONTRAST)
        saturation = random.uniform(1 - SATURATION, 1 + SATURATION) * (random.random() >= GREY_SHARE)
        out[...] = _recolour(view, gains, contrast, saturation)
        _erase(out, random)

    def _crop_and_turn(self, square: Pixels, side: int, random: np.random.Generator) -> Pixels:
        angle = math.radians(random.uniform(-MAX_TURN_DEGREES, MAX_TURN_DEGREES))
        scale = _chosen_from(self.sides, random)
        stretch = math.exp(_chosen_from(self.log_aspects, random) / 2)
        flip = -1 if random.random() < 0.5 else 1
        x, y = random.uniform(-1, 1, 2) * (1 - scale)
        cosine, sine = math.cos(angle) * scale, math.sin(angle) * scale
        # From places in the view to places in the picture, both from -1 to 1; then in pixels, whose centres are at .5.
        turn = np.array([[cosine * stretch * flip, -sine], [sine * flip, cosine / stretch]])
        ratio, half = len(square) / side, len(square) / 2
        origin = half * (turn @ np.full(2, 1 / side - 1) + (x + 1, y + 1)) - 0.5
        to_picture = np.column_stack([turn * ratio, origin])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        view = cv2.warpAffine(square, to_picture, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(view, dtype=np.uint8)


@dataclass(frozen=True)
class Views:
    """The first `count` views, numbered from 1, of each picture."""

    recipe: ViewRecipe
    count: int

    @property
    def name(self) -> str:
        """A name for what these views give, which no others have."""
        return f"{self.count}-views-{hashlib.sha256(self.recipe.text.encode()).hexdigest()[:16]}"

    def embed(self, embedder: Embedder, hashes: Sequence[str], jpegs: Sequence[Jpeg]) -> Embedded:
        """Return (n, count * dimension) vectors of n pictures: those of each picture's views, one after another.

        A picture of which a view has no vector is refused, with the reason of that view.
        """

        @lru_cache(maxsize=1)  # the views of a picture follow one another
        def decoded(picture: int) -> Pixels:
            return to_square(jpegs[picture], round(embedder.side * _DECODED_TO_VIEW))

        def draw(i: int, out: Pixels) -> None:
            picture, view = divmod(i, self.count)
            self.recipe.draw(decoded(picture), out, sha256=hashes[picture], number=1 + view)

        embedded = embedder.try_embed_squares(len(jpegs) * self.count, draw)
        vectors = embedded.vectors.reshape(len(jpegs), self.count * embedder.dimension)
        refused: dict[int, tuple[str, str]] = {}
        for i, reason in embedded.refused.items():
            refused.setdefault(i // self.count, reason)
        return replace(embedded, vectors=vectors, refused=refused)


def _chosen_from(quantiles: Sequence[float], random: np.random.Generator) -> float:
    """Return a value of the distribution that has these evenly spaced quantiles."""
    return float(np.interp(random.random() * (len(quantiles) - 1), np.arange(len(quantiles)), quantiles))


def _recolour(view: Pixels, gains: _Floats, contrast: float, saturation: float) -> Pixels:
    """Return `view` with its channels multiplied by `gains`, then with the contrast and the saturation changed."""
    matrix = (saturation * np.eye(3) + (1 - saturation) / 3) @ np.diag(contrast * gains)
    middle = np.dot(cv2.mean(view)[:3], gains) / 3
    # OpenCV rounds, and limits the result to 0–255.
    return np.asarray(cv2.transform(view, np.column_stack([matrix, np.full(3, (1 - contrast) * middle)])), np.uint8)


def _erase(view: Pixels, random: np.random.Generator) -> None:
    centre, half = random.random(2), random.uniform(*ERASED_SIDES, 2) / 2
    colour, erased = random.integers(0, 256, 3), random.random() < ERASED_SHARE
    if erased:
        start, end = np.rint((np.stack([centre - half, centre + half]) * len(view)).clip(0, len(view))).astype(int)
        view[start[0] : end[0], start[1] : end[1]] = colour
