"""Take landed impressions and clicks into `interactions`."""

from vsearch_lib.job import Figure, Job, main
from vsearch_lib.records.interactions import INTERACTIONS
from vsearch_lib.records.job import take_in


def run(job: Job) -> list[Figure]:
    """Take in the interactions of the landing partitions asked for."""
    return take_in(job, INTERACTIONS, ("interactions",))


if __name__ == "__main__":
    main(run)
