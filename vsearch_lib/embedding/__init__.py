"""Embedding the catalogue on Spark: each image once for each model."""
