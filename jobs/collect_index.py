"""Delete versions of the index that are out of use, and files that none of the others names."""

from datetime import UTC, datetime, timedelta

from vsearch_lib.index.retention import collect
from vsearch_lib.job import Figure, Job, main
from vsearch_lib.storage import open_store


def run(job: Job) -> list[Figure]:
    """Keep `index.retained_versions` versions and what is younger than `index.unused_hours`; delete the rest."""
    index = job.settings.index
    unused_for = timedelta(hours=index.unused_hours)
    gone = collect(open_store(index.uri), keep=index.retained_versions, unused_for=unused_for, now=datetime.now(UTC))
    job.say(f"collect_index: {len(gone.versions)} versions and {gone.files} files deleted, {gone.bytes} bytes")
    return [Figure("index_files_deleted", gone.files), Figure("index_bytes_deleted", gone.bytes)]


if __name__ == "__main__":
    main(run)
