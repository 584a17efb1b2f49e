"""Ingest landed human scores into `judgements`."""

from vsearch_lib.records.step import ingest_judgements
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(ingest_judgements)
