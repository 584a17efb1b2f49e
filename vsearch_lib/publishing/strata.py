"""The kinds of query that an index must answer well, and the gate's queries of each kind."""

from collections.abc import Callable

import numpy as np

from vsearch_lib.config import Settings
from vsearch_lib.images.decode import Limits
from vsearch_lib.lake import Lake
from vsearch_lib.models.load import load_model
from vsearch_lib.publishing.crops import crops_of
from vsearch_lib.publishing.gate import Queries
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.vectors import RowIds, Vectors


def gate_queries(
    searcher: Searcher, lake: Lake, settings: Settings, *, say: Callable[[str], None]
) -> dict[str, Queries]:
    """Return the gate's queries, up to `gate.queries` of each kind, sampled with `index.seed`.

    The kinds are whole pictures, the newest uploads, and crops. A kind is left out if its queries can find nothing: a
    whole picture needs another one to find; a crop finds its own picture.
    """
    visible = searcher.visible_ids()
    if not len(visible):
        return {}
    rng = np.random.default_rng(settings.index.seed)
    count = min(settings.gate.queries, len(visible))
    sample = np.sort(rng.choice(visible, size=count, replace=False))
    queries = {}
    if len(visible) > 1:
        recent = newest(searcher, count)
        queries["whole"] = Queries(searcher.vectors(sample), own=sample)
        queries["new"] = Queries(searcher.vectors(recent), own=recent)
    crops = _crops(searcher, sample, lake, settings, say=say)
    return {**queries, **({"crop": Queries(crops)} if len(crops) else {})}


def newest(searcher: Searcher, count: int) -> RowIds:
    """Return the ids of the `count` visible rows that were uploaded last, ascending."""
    visible = searcher.visible_ids()
    uploaded = np.asarray(searcher.rows["uploaded_at"].cast("int64"))[visible]
    return np.sort(visible[np.argsort(-uploaded, kind="stable")[:count]])


def _crops(
    searcher: Searcher, sample: RowIds, lake: Lake, settings: Settings, *, say: Callable[[str], None]
) -> Vectors:
    """Return vectors of crops of the sampled pictures, by the model of the index."""
    image = settings.image
    # A person may search with a crop of any shape.
    limits = Limits(image.max_bytes, image.max_pixels, image.min_side, image.size)
    ids = [fact["image_id"] for fact in searcher.describe(sample)]
    crops = crops_of(lake, ids, limits, seed=settings.index.seed)
    if crops.from_stored:
        say(
            f"gate: {crops.from_stored} of {len(crops.jpegs)} crops are cut out of stored pixels, because the landed "
            "files cannot be read or have changed"
        )
    model = load_model(settings.models.uri, searcher.manifest.model.version)
    return model.embedder(batch_size=settings.embedding.batch_size).embed(crops.jpegs)
