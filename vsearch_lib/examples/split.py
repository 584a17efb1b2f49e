"""The split: by group of near-duplicates, decided by content."""

from pyspark.sql import Column
from pyspark.sql import functions as F

_GRAIN = 10_000


def is_test(*, test_share: float, seed: int) -> Column:
    """Return the condition that puts an image into the test split; its rows are `images` left-joined `near_duplicates`.

    The group decides (`group_sha256`), or the picture itself (`sha256`) where it has no near-duplicates: pictures that
    look the same fall on one side, under whatever ids. The side stays while the group does: a picture that gets a
    near-duplicate of smaller sha256, or one that joins two groups, may change sides. A model that was trained before
    has then seen what is a test image now, until it is trained again.
    """
    name = F.coalesce("group_sha256", "sha256")
    return F.pmod(F.xxhash64(name, F.lit(seed)), F.lit(_GRAIN)) < F.lit(round(test_share * _GRAIN))
