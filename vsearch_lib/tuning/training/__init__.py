"""Search over settings of the training: each is tried on the same snapshot, by its recall on validation images."""
