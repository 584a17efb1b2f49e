"""Searching a published version: shards, filters, exact re-scoring. No Spark here."""
