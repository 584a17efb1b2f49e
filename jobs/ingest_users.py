"""Ingest landed users into `users`, and the columns that identify them into `users_pii`."""

from vsearch_lib.records.step import ingest_users
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(ingest_users)
