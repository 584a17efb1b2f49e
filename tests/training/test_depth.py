"""How much is trained follows from the setting, the pairs to learn from and the machine."""

import pytest

from vsearch_lib.training.depth import choose_depth


@pytest.mark.parametrize("depth", ["none", "head", "full"])
def test_a_depth_that_a_person_sets_is_used(depth):
    assert choose_depth(depth, pairs=0, min_pairs=100, has_gpu=False)[0] == depth


@pytest.mark.parametrize(
    ("pairs", "has_gpu", "depth"),
    [(0, True, "none"), (99, True, "none"), (100, False, "head"), (100, True, "head"), (10**6, False, "head")],
)
def test_without_a_gpu_at_most_the_head_is_trained_and_without_pairs_nothing(pairs, has_gpu, depth):
    chosen, reason = choose_depth("auto", pairs=pairs, min_pairs=100, has_gpu=has_gpu)
    assert chosen == depth
    assert f"there are {pairs} judged or clicked pairs to learn from" in reason


def test_a_gpu_and_many_pairs_train_the_whole_network():
    assert choose_depth("auto", pairs=5000, min_pairs=100, has_gpu=True)[0] == "full"
