"""The split into training and test images: by group of near-duplicates, decided by content."""

from pyspark.sql import Column
from pyspark.sql import functions as F

_GRAIN = 10_000


def is_test(*, test_share: float, seed: int) -> Column:
    """Return the condition that puts an image into the test split; the rows are those of `images` left-joined with
    `near_duplicates`.

    The group decides (`group_sha256`), or the picture itself (`sha256`) if it has no near-duplicates: pictures that
    look the same are on the same side, under any ids. The side is stable as long as the group is: a picture may change
    sides if it gets a near-duplicate with a smaller sha256, or if a new picture joins two groups. A model that was
    trained before may then have seen a picture that is now a test image, until it is trained again.
    """
    name = F.coalesce("group_sha256", "sha256")
    return F.pmod(F.xxhash64(name, F.lit(seed)), F.lit(_GRAIN)) < F.lit(round(test_share * _GRAIN))
