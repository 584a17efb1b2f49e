"""Ingest landed impressions and clicks into `interactions`."""

from vsearch_lib.records.step import ingest_interactions
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(ingest_interactions)
