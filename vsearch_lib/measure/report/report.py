"""Put the report together: headlines, history, topics, pictures, the profile of the data, and everything else."""

from collections.abc import Sequence

import numpy as np

from vsearch_lib.artefact.pointer import current_manifest
from vsearch_lib.config import Settings
from vsearch_lib.lake import Lake
from vsearch_lib.lake.metrics import Recorded, figures_of_newest_runs, recorded_history
from vsearch_lib.lake.pictures import public_jpegs
from vsearch_lib.measure.profile.curation import PROFILE_LISTS, curation_blocks, read_lines, shown_images
from vsearch_lib.measure.profile.page import profile_blocks
from vsearch_lib.measure.report.figure_text import value_text
from vsearch_lib.measure.report.history import POINTS, history_charts
from vsearch_lib.measure.report.projection import picture_map
from vsearch_lib.measure.report.queries import worst_and_best
from vsearch_lib.measure.report.tables import everything_else, topic_tables
from vsearch_lib.measure.report.topics import HEADLINES, HISTORY, TOPICS, is_profile, topic_of
from vsearch_lib.report.bars import Counts
from vsearch_lib.report.page import Section
from vsearch_lib.report.pictures import Picture
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store

TITLE = "How good the search is"
_WORST = (
    "By nDCG@10 of the published index, worst first. Beside each query: what the model looks at in the query and in "
    "its first answer when it finds them alike; an answer that nobody judged counts as wrong."
)


def report(lake: Lake, settings: Settings, *, pictures: bool) -> tuple[list[str], list[Section]]:
    """Return the facts below the title, and the sections; without `pictures` only what can be read as text.

    Figures are those of the newest run that measured them. Pictures are of images that everybody may see now.

    Raises:
        ArtefactError: the published index, or its model, does not verify.
        UsageError: `reports.projection` is not installed.
    """
    recorded = figures_of_newest_runs(lake)
    manifest = current_manifest(open_store(settings.index.uri))
    facts = [
        f"version {manifest.version}, {manifest.factory}, model {manifest.model.version}"
        if manifest
        else "nothing is published yet",
        f"figures as the newest runs recorded them, the last at {max(r.recorded_at for r in recorded):%Y-%m-%d %H:%M}"
        if recorded
        else "no figures yet: run vsearch run nightly",
    ]
    figures = FigureSections(recorded, recorded_history(lake, [line.metric for line in HISTORY], limit=POINTS))
    shown: list[Section] = []
    if manifest and pictures:
        searcher = Searcher.open(settings.index.uri, cache=settings.cache)
        shown = [*_map(lake, searcher, settings), *_queries(lake, searcher, settings)]
    curated = _curated(lake, settings) if pictures else []
    return facts, [*figures.measured, *shown, *figures.profile, *curated, *figures.others]


class FigureSections:
    """The sections of figures: each of `recorded` is in one of them."""

    def __init__(self, recorded: Sequence[Recorded], history: Sequence[Recorded]) -> None:
        topics = [(topic, [r for r in recorded if topic_of(r) is topic]) for topic in TOPICS]
        profile = [r.figure for r in recorded if is_profile(r)]
        others = [r for r in recorded if topic_of(r) is None and not is_profile(r)]
        self.measured = [
            Section("", _headlines(recorded)),
            Section("Over time", history_charts(HISTORY, history)),
            *(Section(topic.title, topic_tables(topic, ours), topic.note) for topic, ours in topics if ours),
        ]
        self.profile = [Section("What the lake holds", profile_blocks(profile))] if profile else []
        self.others = [Section("Everything else", [everything_else(others)])] if others else []


def _headlines(recorded: Sequence[Recorded]) -> list[Counts]:
    value = {(r.figure.metric, r.kind, r.figure.slice): r.figure.value for r in recorded}
    counts = [
        (value_text(value[metric, kind, slice_]), words)
        for metric, kind, slice_, words in HEADLINES
        if (metric, kind, slice_) in value
    ]
    return [Counts(counts)] if counts else []


def _map(lake: Lake, searcher: Searcher, settings: Settings) -> list[Section]:
    chosen, visible = settings.reports, searcher.visible_ids()
    rng = np.random.default_rng(chosen.seed)
    rows = rng.choice(visible, size=min(chosen.map_images, len(visible)), replace=False)
    names = [fact["image_id"] for fact in searcher.describe(rows)]
    jpegs = public_jpegs(lake, names)
    kept = [n for n, name in enumerate(names) if name in jpegs]
    if len(kept) < 3:  # points of a plane
        return []
    shown = [Picture(names[n], jpegs[names[n]], "") for n in kept]
    drawn = picture_map(shown, searcher.vectors(rows[kept]), chosen.projection, seed=chosen.seed)
    return [Section("The space of the vectors", [drawn])]


def _queries(lake: Lake, searcher: Searcher, settings: Settings) -> list[Section]:
    extremes = worst_and_best(lake, searcher, settings)
    if extremes is None:
        return [Section("Worst and best queries", [], "Nobody has judged the answers to any query yet.")]
    return [
        Section("The worst queries", extremes.worst, _WORST),
        Section("The best queries", extremes.best, "By the same figure, best first."),
    ]


def _curated(lake: Lake, settings: Settings) -> list[Section]:
    """Return the newest lists of the profile, with the pictures that everybody may see now."""
    store = open_store(settings.reports.uri)
    lists = [key for key in store.list("") if PROFILE_LISTS.fullmatch(key)]
    if not lists:
        return []
    entries, pairs = read_lines(store.read(max(lists)))
    blocks = curation_blocks(entries, pairs, public_jpegs(lake, shown_images(entries)))
    note = f"From the newest profile; {max(lists)} lists more of them by their ids."
    return [Section("What to look at", blocks, note)] if blocks else []
