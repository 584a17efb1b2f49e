"""Profile the lake and draw the page, for people who want to know what models are made from."""

from vsearch_lib.artefact.pointer import read_pointer
from vsearch_lib.context import StepContext
from vsearch_lib.eligibility import LIVING
from vsearch_lib.errors import ArtefactError
from vsearch_lib.figures import Figure
from vsearch_lib.lake.pictures import public_jpegs
from vsearch_lib.measure.page_cache import PageCache
from vsearch_lib.measure.profile.curation import (
    as_lines,
    curation_blocks,
    doubt_entries,
    picture_entries,
    shown_images,
)
from vsearch_lib.measure.profile.figures import (
    image_figures,
    query_figures,
    refusal_figures,
    uniqueness_figures,
)
from vsearch_lib.measure.profile.mislabelled import Doubts, doubtful_tags
from vsearch_lib.measure.profile.page import profile_blocks
from vsearch_lib.measure.profile.tags import balance_figures, redundant_pairs
from vsearch_lib.report.page import Section, render_sections
from vsearch_lib.run_ids import version_of
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

_TABLES = ("images", "image_pixels", "near_duplicates", "interactions", "quarantine", "users", "judgements")


def profile_lake(context: StepContext) -> list[Figure]:
    """Profile the tables as they are now; if they have not changed, the earlier page stays the newest.

    Tags are compared with those of neighbours in the published index, so there is no doubt before the first one.
    """
    lake, settings = context.lake, context.settings
    version = _served_version(context)
    cache = PageCache(context, "profile_lake", _TABLES, index=version)
    if (earlier := cache.load()) is not None:
        return earlier
    images, interactions = lake.read("images"), lake.read("interactions")
    pixels, near_duplicates = lake.read("image_pixels"), lake.read("near_duplicates")
    living = images.where(LIVING)
    doubts = _doubts(context) if version else Doubts([], 0)
    pairs = redundant_pairs(living)
    figures = [
        *image_figures(images, pixels, near_duplicates, interactions),
        *uniqueness_figures(images, near_duplicates),
        *balance_figures(living),
        Figure("redundant_tag_pairs", len(pairs)),
        *_doubt_figures(doubts),
        *query_figures(interactions, images),
        *refusal_figures(lake.read("quarantine")),
        *(Figure(f"{table}_stored", lake.read(table).count()) for table in ("users", "judgements")),
    ]
    entries = [*picture_entries(images, pixels, near_duplicates), *doubt_entries(doubts.found)]
    name = f"profile-{version_of(context.run_id)}"
    open_store(settings.reports.uri).write_new(f"{name}.jsonl", as_lines(entries, pairs))
    curated = curation_blocks(entries, pairs, public_jpegs(lake, shown_images(entries)))
    sections = [
        Section("", profile_blocks(figures)),
        *([Section("What to look at", curated, f"{name}.jsonl lists more of them by their ids.")] if curated else []),
    ]
    facts = [f"after the ingest of run {context.run_id}"]
    cache.save(figures, f"{name}.html", render_sections("What the lake holds", facts, sections))
    return figures


def _served_version(context: StepContext) -> str | None:
    try:
        pointer = read_pointer(open_store(context.settings.index.uri))
    except ArtefactError as error:
        context.say(f"profile_lake: tags are not compared with neighbours: {error}")
        return None
    return pointer.version if pointer else None


def _doubts(context: StepContext) -> Doubts:
    settings = context.settings
    try:
        return doubtful_tags(Searcher.open(settings.index.uri, cache=settings.cache))
    except ArtefactError as error:  # the night goes on, because it may build a better index
        context.say(f"profile_lake: tags are not compared with neighbours: {error}")
        return Doubts([], 0)


def _doubt_figures(doubts: Doubts) -> list[Figure]:
    """Return the share of the sampled images that are in doubt, none if nothing was sampled."""
    if not doubts.n:
        return []
    in_doubt = {kind: len({d.image_id for d in doubts.found if d.kind == kind}) for kind in ("wrong", "missing")}
    return [
        Figure("doubtful_tag_share", count / doubts.n, slice=f"{kind} tag", n=doubts.n)
        for kind, count in in_doubt.items()
    ]
