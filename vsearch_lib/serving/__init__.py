"""Serving: open a published version, search it. No Spark here."""
