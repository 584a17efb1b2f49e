"""Embedding the catalogue on Spark: each image once a model."""
