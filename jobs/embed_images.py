"""Embed every living image that the current model has not embedded yet, and drop the vectors of those that left."""

from vsearch_lib.embedding.step import embed_images
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(embed_images)
