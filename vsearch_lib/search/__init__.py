"""Searching a published version: shards, filters, exact re-scoring. It imports no Spark."""
