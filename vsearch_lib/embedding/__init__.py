"""Embedding the catalogue on Spark: each image once a model."""

from vsearch_lib.embedding.spark import embed_pixels, images_to_embed

__all__ = ["embed_pixels", "images_to_embed"]
