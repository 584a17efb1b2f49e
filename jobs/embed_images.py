"""Embed every living image that the current model has not embedded yet, and delete vectors of images that are gone."""

from vsearch_lib.embedding.step import embed_images
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(embed_images)
