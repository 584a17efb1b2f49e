"""Choosing how to search, by recall, latency, bytes and building time, and how to train, by recall on validation."""
