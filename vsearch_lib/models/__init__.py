"""Trained encoders: their registry, their weights, and which of them is in use."""
