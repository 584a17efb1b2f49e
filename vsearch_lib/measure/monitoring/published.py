"""The published index: how evenly its rows lie, how well it answers what people ask, and how similar neighbours are."""

from collections.abc import Sequence

import numpy as np

from vsearch_lib.config.monitoring import Monitoring
from vsearch_lib.figures import ALL, Figure
from vsearch_lib.measure.monitoring.check import Check, Verdict, no_data
from vsearch_lib.measure.monitoring.permutation import Values
from vsearch_lib.publishing.gate import measure
from vsearch_lib.publishing.recall import recall_figure, without_own
from vsearch_lib.search.searcher import Searcher

LISTS, SHARDS, LIVE_RECALL = "imbalance of lists", "imbalance of shards", "recall of live queries"
_NOTHING_PUBLISHED = "nothing is published"
_DEPTH = 10
_NEIGHBOURS = 2  # of a row, itself among them


def balance_checks(searcher: Searcher | None, chosen: Monitoring) -> list[Check]:
    """Return the checks of the sizes of the lists and of the shards; deltas are small by nature and do not count."""
    if searcher is None:
        return [no_data(LISTS, _NOTHING_PUBLISHED), no_data(SHARDS, _NOTHING_PUBLISHED)]
    rows = [shard.rows for shard in searcher.manifest.shards]
    largest = max(rows) / (sum(rows) / len(rows)) if sum(rows) else 1.0
    return [
        _at_most(LISTS, "list_imbalance", searcher, searcher.imbalance, chosen.max_list_imbalance),
        _at_most(SHARDS, "shard_imbalance", searcher, largest, chosen.max_shard_imbalance),
    ]


def live_recall_check(searcher: Searcher | None, image_ids: Sequence[str], chosen: Monitoring) -> Check:
    """Return the check of recall@10 against exact search, for images that people searched with.

    `image_ids` are these, each once, in an order of chance. The first `live_queries` of them that are rows of the index
    count. Uploaded pictures and crops do not, because their vectors are not stored.
    """
    if searcher is None:
        return no_data(LIVE_RECALL, _NOTHING_PUBLISHED)
    visible = set(searcher.visible_ids().tolist())
    found = [row for row in map(searcher.row_of, image_ids) if row in visible]
    rows = np.array(found[: chosen.live_queries], dtype=np.int64)
    if not len(rows) or len(visible) < _NEIGHBOURS:
        return no_data(LIVE_RECALL, f"none of {len(image_ids)} queries is an image of the index")
    recall = measure(searcher, searcher.vectors(rows), own=rows).rescored[_DEPTH]
    subject = f"index {searcher.manifest.version}"
    figure = recall_figure(recall, "live_recall_at_10", subject=subject, stratum=ALL, n=len(rows))
    low, high = figure.low or 0.0, figure.high or 0.0
    seen = f"recall@10 {recall.mean:.3f} ({low:.3f} to {high:.3f}) over {len(rows)} queries"
    return Check(LIVE_RECALL, Verdict.ALERT if high < chosen.min_live_recall else Verdict.OK, seen, (figure,))


def nearest_cosines(searcher: Searcher | None, image_ids: Sequence[str]) -> Values:
    """Return the cosine of each image to its nearest other row of the index, NaN if it is not a visible row.

    The index is searched as it is for people, so that the cost does not grow with its rows.
    """
    cosines = np.full(len(image_ids), np.nan)
    visible = set(searcher.visible_ids().tolist()) if searcher else set()
    if searcher is None or len(visible) < _NEIGHBOURS:
        return cosines
    row_of = {place: row for place, row in enumerate(map(searcher.row_of, image_ids)) if row in visible}
    if not row_of:
        return cosines
    rows = np.array(list(row_of.values()), dtype=np.int64)
    vectors = searcher.vectors(rows)
    nearest = without_own(searcher.search(vectors, _NEIGHBOURS).ids, rows)[:, 0]
    known = nearest >= 0
    places = np.array(list(row_of))[known]
    cosines[places] = np.einsum("nd,nd->n", vectors[known], searcher.vectors(nearest[known]))
    return cosines


def _at_most(name: str, metric: str, searcher: Searcher, value: float, limit: float) -> Check:
    figure = Figure(metric, value, subject=f"index {searcher.manifest.version}", n=len(searcher.rows))
    seen = f"{value:.2f}, at most {limit:g}"
    return Check(name, Verdict.ALERT if value > limit else Verdict.OK, seen, (figure,))
