"""The split: by image, decided by content, the same for ever."""

from pyspark.sql import Column
from pyspark.sql import functions as F

_GRAIN = 10_000


def is_test(*, test_share: float, seed: int) -> Column:
    """Return the condition (on `phash`) that puts an image into the test split.

    The perceptual hash decides, not the id: copies of a picture under several ids fall on one side.
    """
    return F.pmod(F.xxhash64("phash", F.lit(seed)), F.lit(_GRAIN)) < F.lit(round(test_share * _GRAIN))
