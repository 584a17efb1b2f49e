"""Spark: the session, its Java process, its workers, and rows that are computed once."""
