"""Merge the small files of every table, and delete the files that no reader can need any more."""

from vsearch_lib.maintenance.step import maintain_tables
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(maintain_tables)
