"""Choosing how to search: recall, latency, bytes and building time, measured on the published vectors."""
