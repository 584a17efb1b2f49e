"""The page of a comparison: figures of both systems, the difference by slice, and the queries that moved most."""

from collections.abc import Mapping, Sequence

from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.lake.pictures import stored_jpegs
from vsearch_lib.measure.comparison.by_slice import gain_of_each, moved_most
from vsearch_lib.measure.comparison.evidence import Evidence
from vsearch_lib.measure.offline.per_query import as_parquet
from vsearch_lib.measure.offline.tables import with_interval
from vsearch_lib.report.page import Answer, Query, Table, render

_MOVED = 6  # queries that lost most, and as many that gained most


def comparison_page(lake: Lake, evidence: Sequence[Evidence], by_slice: Sequence[Figure]) -> str:
    """Return the page as HTML.

    Args:
        lake: with the pictures of the queries and answers.
        evidence: at least one kind.
        by_slice: the gains by slice, the worst first.
    """
    tables = [evidence_table(one) for one in evidence]
    pair = evidence[0].pair
    rows = [(figure.slice, with_interval(figure), str(figure.n)) for figure in by_slice]
    if rows:
        note = (
            "Each interval is that of one slice: of twenty slices without a difference, one looks different by chance."
        )
        tables.append(Table(("slice, the worst first", by_slice[0].metric, "queries"), rows, note=note))
    return render(f"{pair.new} over {pair.used}", _subtitle(evidence), tables, _moved_queries(lake, evidence[0]))


def evidence_table(evidence: Evidence) -> Table:
    """Return the figures of both systems on the queries of one kind, and the difference in the note."""
    pair = evidence.pair
    of = {(figure.metric, figure.subject): figure for figure in evidence.figures}
    metrics = list(evidence.values[pair.new].of_each)
    rows = [
        (name, *(f"{of[metric, f'{pair.what} {name}'].value:.3f}" for metric in metrics))
        for name in (pair.new, pair.used)
    ]
    return Table((pair.what, *metrics), rows, note=difference_line(evidence))


def difference_line(evidence: Evidence) -> str:
    """Return the difference, its interval and what it says, as one line."""
    gain = evidence.gain
    difference = f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
    return f"{evidence.kind}, {gain.n} queries: a difference of {difference}: {gain.outcome}"


def values_file(evidence: Sequence[Evidence]) -> bytes:
    """Return the figures of each query of both systems as Parquet (`per_query.as_parquet`); the slice is the kind."""
    return as_parquet({(name, one.kind): values for one in evidence for name, values in one.values.items()})


def _subtitle(evidence: Sequence[Evidence]) -> str:
    return "; ".join(difference_line(one) for one in evidence)


def _moved_queries(lake: Lake, evidence: Evidence) -> list[Query]:
    """Return the queries that lost and gained most, each with the answers of the new system, then of the used one."""
    pair, gains = evidence.pair, gain_of_each(evidence)
    moved = moved_most(gains, count=_MOVED)
    if not moved:
        return []
    names = (pair.new, pair.used)
    answers = {name: evidence.answers.get(name, {}) for name in names}
    shown = {image for name in names for query in moved for image, _ in answers[name].get(query, ())}
    jpegs = stored_jpegs(lake, sorted({*moved, *shown}))
    queries = []
    for query in moved:
        for name in names:
            value = dict(
                zip(evidence.values[name].queries, evidence.values[name].of_each[evidence.metric], strict=True)
            )
            caption = f"{name}: {evidence.metric} {value[query]:.3f}"
            if name == pair.new:
                caption += f", moved by {gains[query]:+.3f}"
            queries.append(Query(query, jpegs.get(query), caption, _answers(answers[name].get(query, ()), jpegs)))
    return queries


def _answers(found: Sequence[tuple[str, float]], jpegs: Mapping[str, bytes]) -> list[Answer]:
    return [Answer(image, jpegs.get(image), cosine, "", None) for image, cosine in found]
