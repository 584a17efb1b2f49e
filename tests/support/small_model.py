"""Settings of the small network trained from nothing: most tests need some encoder, and this one is made quickly."""

SMALL = ("model.backbone=small", "model.weights=none", "training.epochs=20")
