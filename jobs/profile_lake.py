"""Measure what the lake holds, and draw the page: for people who want to know what the models are made of."""

from vsearch_lib.job import Figure, Job, main, version_of
from vsearch_lib.profile.figures import image_figures, query_figures, refusal_figures
from vsearch_lib.profile.page import render
from vsearch_lib.storage import open_store


def run(job: Job) -> list[Figure]:
    """Profile the tables as they are now; each call writes a page of its own."""
    lake = job.lake
    images, interactions = lake.read("images"), lake.read("interactions")
    figures = [
        *image_figures(images, lake.read("image_pixels"), lake.read("near_duplicates"), interactions),
        *query_figures(interactions, images),
        *refusal_figures(lake.read("quarantine")),
        *(Figure(f"{table}_stored", lake.read(table).count()) for table in ("users", "judgements")),
    ]
    name = f"profile-{version_of(job.run_id)}.html"
    open_store(job.settings.reports.uri).write_new(name, render(job.run_id, figures).encode())
    job.say(f"profile_lake: {job.settings.reports.uri}/{name}")
    return figures


if __name__ == "__main__":
    main(run)
