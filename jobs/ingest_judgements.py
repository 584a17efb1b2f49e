"""Take landed human scores into `judgements`."""

from vsearch_lib.job import Figure, Job, main
from vsearch_lib.records.job import take_in
from vsearch_lib.records.judgements import JUDGEMENTS


def run(job: Job) -> list[Figure]:
    """Take in the judgements of the landing partitions asked for."""
    return take_in(job, JUDGEMENTS, ("judgements",))


if __name__ == "__main__":
    main(run)
