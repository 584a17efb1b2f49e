"""The boxes that people draw on a query picture, as quantiles that say nothing about one person."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_STEPS = 20

PRIOR_SIDES = (0.45, 1.0)  # until enough boxes are known: uniform between these
PRIOR_LOG_ASPECTS = (-0.4, 0.4)


@dataclass(frozen=True)
class Boxes:
    """How large and how wide boxes are: 21 quantiles each, from the smallest to the largest value, 5 % apart.

    Attributes:
        count: the number of boxes; 0 if the quantiles are the prior.
        sides: square root of the box's share of the picture's area, above 0, at most 1.
        log_aspects: natural logarithm of width / height, both as fractions of the picture's.
    """

    count: int
    sides: tuple[float, ...]
    log_aspects: tuple[float, ...]


def _evenly(low: float, high: float) -> tuple[float, ...]:
    return tuple(round(low + (high - low) * i / _STEPS, 6) for i in range(_STEPS + 1))


PRIOR = Boxes(0, _evenly(*PRIOR_SIDES), _evenly(*PRIOR_LOG_ASPECTS))


def drawn_boxes(interactions: DataFrame, *, min_boxes: int) -> Boxes:
    """Return the quantiles of the boxes of searches, each search once, or PRIOR if there are fewer than `min_boxes`.

    Args:
        interactions: request_id, crop_width, crop_height.
    """
    drawn = interactions.where("crop_width IS NOT NULL AND crop_height IS NOT NULL").groupBy("request_id")
    boxes = drawn.agg(F.min(F.struct("crop_width", "crop_height")).alias("box")).select("box.*")
    # Rounded, so that the quantiles of any number of boxes need few different values.
    side = F.round(F.sqrt(F.col("crop_width") * F.col("crop_height")), 3)
    log_aspect = F.round(F.log(F.col("crop_width") / F.col("crop_height")), 2)
    steps = F.array(*(F.lit(i / _STEPS) for i in range(_STEPS + 1)))
    row = boxes.agg(F.count("*"), F.percentile(side, steps), F.percentile(log_aspect, steps)).collect()[0]
    if row[0] < min_boxes:
        return PRIOR
    sides, log_aspects = (tuple(round(value, 6) for value in quantiles) for quantiles in row[1:])
    return Boxes(row[0], sides, log_aspects)
