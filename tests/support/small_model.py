"""Settings of a small network trained from random weights: a model that tests make quickly."""

SMALL = ("model.backbone=small", "model.weights=none", "training.epochs=20")
