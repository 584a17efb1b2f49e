"""Ingest landed pictures into `images` and `image_pixels`; broken ones go to `quarantine`."""

from vsearch_lib.images.step import ingest_images
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(ingest_images)
