"""Profile the lake and draw the page, for people who want to know what models are made from."""

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.measure.page_cache import PageCache
from vsearch_lib.measure.profile.figures import image_figures, query_figures, refusal_figures
from vsearch_lib.measure.profile.page import render
from vsearch_lib.run_ids import version_of

_TABLES = ("images", "image_pixels", "near_duplicates", "interactions", "quarantine", "users", "judgements")


def profile_lake(context: StepContext) -> list[Figure]:
    """Profile the tables as they are now; if they have not changed, the earlier page stays the newest."""
    lake = context.lake
    cache = PageCache(context, "profile_lake", _TABLES)
    if (earlier := cache.load()) is not None:
        return earlier
    images, interactions = lake.read("images"), lake.read("interactions")
    figures = [
        *image_figures(images, lake.read("image_pixels"), lake.read("near_duplicates"), interactions),
        *query_figures(interactions, images),
        *refusal_figures(lake.read("quarantine")),
        *(Figure(f"{table}_stored", lake.read(table).count()) for table in ("users", "judgements")),
    ]
    name = f"profile-{version_of(context.run_id)}.html"
    cache.save(figures, name, render(context.run_id, figures))
    return figures
