"""Serving: open a published version and search it. It imports no Spark."""
