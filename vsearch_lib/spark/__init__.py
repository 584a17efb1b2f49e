"""Spark: the session, the Java it runs in, its workers, and rows that are computed once."""
