"""Take landed users into `users`, and what identifies them into `users_pii`."""

from vsearch_lib.job import Figure, Job, main
from vsearch_lib.records.job import take_in
from vsearch_lib.records.users import USERS


def run(job: Job) -> list[Figure]:
    """Take in the users of the landing partitions asked for."""
    return take_in(job, USERS, ("users", "users_pii"))


if __name__ == "__main__":
    main(run)
