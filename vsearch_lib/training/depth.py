"""How much of a network is trained: nothing, the projection, or all of it."""

from typing import Literal

Depth = Literal["none", "head", "full"]

# From so many pairs a GPU trains the whole network.
_FULL_PAIRS = 5000


def choose_depth(
    configured: Literal["auto", "none", "head", "full"], *, pairs: int, min_pairs: int, has_gpu: bool
) -> tuple[Depth, str]:
    """Return the depth of a training of a pretrained network, and the reason in words.

    Views of single pictures teach the network to tell alike pictures apart: measured on clothing photos, that ranks
    worse than no training. So without pairs of pictures nothing is trained.

    Args:
        configured: the setting `training.depth`.
        pairs: judged or clicked pairs of pictures among the examples.
        min_pairs: the setting `training.min_pairs`.
        has_gpu: whether this machine has one.
    """
    if configured != "auto":
        return configured, f"training.depth = {configured}"
    if pairs < min_pairs:
        return "none", f"there are {pairs} judged or clicked pairs to learn from, fewer than training.min_pairs"
    if has_gpu and pairs >= _FULL_PAIRS:
        return "full", f"this machine has a GPU, and there are {pairs} judged or clicked pairs to learn from"
    return "head", f"there are {pairs} judged or clicked pairs to learn from"
