"""The tables of the page of `evaluate`, made of its figures alone."""

from collections.abc import Sequence

from vsearch_lib.figures import ALL, Figure
from vsearch_lib.measure.offline.ranking import RANKING_FIGURES
from vsearch_lib.measure.offline.slices import FAIRNESS, SEPARATOR
from vsearch_lib.report.page import Table

PUBLISHED = "published index"
_SLICED = "ndcg_at_10"
_SHOWN = 12  # rows of a long table; the others are folded up


def tables(figures: Sequence[Figure]) -> list[Table]:
    """Return the tables; one without a row is left out."""
    found = [
        Table(("index", ""), _facts(figures)),
        _systems(figures),
        _by_depth(figures),
        _strata(figures),
        _labels(figures),
        _slices(figures),
        _fairness(figures),
    ]
    return [table for table in found if table.rows]


def with_interval(figure: Figure, digits: int = 3) -> str:
    """Return the value, and its interval if it has one."""
    value = f"{figure.value:.{digits}f}"
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"


def _facts(figures: Sequence[Figure]) -> list[tuple[str, str]]:
    value = {(figure.metric, figure.slice): figure.value for figure in figures}
    return [
        ("index rows", f"{value['index_rows', ALL]:,.0f}"),
        ("bytes a vector, code and row id", f"{value['index_bytes_per_vector', ALL]:.0f}"),
        *(
            (f"recall@10 against exact, {s}", f"{v:.3f}")
            for (metric, s), v in value.items()
            if metric == "recall_at_10"
        ),
        *(
            (
                f"cosine of {pair}, median (5 %, 95 %)",
                f"{v:.2f} ({value['cosine_p05', pair]:.2f}, {value['cosine_p95', pair]:.2f})",
            )
            for (metric, pair), v in value.items()
            if metric == "cosine_median"
        ),
    ]


def _systems(figures: Sequence[Figure]) -> Table:
    whole = {(figure.metric, figure.subject): figure for figure in figures if figure.slice == ALL}
    rows = [
        (name, *(with_interval(whole[metric, name]) for metric in RANKING_FIGURES))
        for metric, name in whole
        if metric == _SLICED
    ]
    queries = next((figure.value for figure in figures if figure.metric == "judged_queries"), 0)
    return Table((f"{queries:.0f} judged queries, none seen in training", "nDCG@10", "MRR", "mAP"), rows)


def _by_depth(figures: Sequence[Figure]) -> Table:
    prefixes = ("precision", "judged_recall", "hit_rate", "ndcg")
    of = {figure.metric: figure for figure in figures if figure.subject == PUBLISHED and figure.slice == ALL}
    depths = [name.removeprefix("ndcg_at_") for name in of if name.startswith("ndcg_at_") and name[-1].isdigit()]
    rows = [(depth, *(with_interval(of[f"{prefix}_at_{depth}"]) for prefix in prefixes)) for depth in depths]
    headings = ("first answers of the published index", "precision", "recall", "hit rate", "nDCG")
    return Table(headings, rows, note="Recall: of all images that people scored 3 or more for the query.")


def _strata(figures: Sequence[Figure]) -> Table:
    of = [figure for figure in figures if figure.subject == PUBLISHED and SEPARATOR not in figure.slice]
    strata = list(dict.fromkeys(figure.slice for figure in of if figure.metric == _SLICED))
    by_name = {(figure.metric, figure.slice): figure for figure in of}
    rows = [
        (
            "whole picture" if stratum == ALL else stratum,
            *(with_interval(by_name[metric, stratum]) for metric in RANKING_FIGURES if (metric, stratum) in by_name),
            str(by_name[_SLICED, stratum].n),
        )
        for stratum in strata
    ]
    return Table(("query of the published index", "nDCG@10", "MRR", "mAP", "queries"), rows if len(rows) > 1 else [])


def _labels(figures: Sequence[Figure]) -> Table:
    rows = [
        ("mean (macro F1)" if figure.metric == "label_macro_f1" else figure.slice, with_interval(figure), str(figure.n))
        for figure in figures
        if figure.metric in ("label_macro_f1", "label_f1")
    ]
    note = "Has the nearest other picture the tag, if and only if the query has it? The worst tags come first."
    return Table(("tags of the nearest picture", "F1", "queries"), rows, note=note, shown=_SHOWN)


def _slices(figures: Sequence[Figure]) -> Table:
    rows = [
        (figure.slice, with_interval(figure), str(figure.n))
        for figure in figures
        if figure.metric == _SLICED and SEPARATOR in figure.slice
    ]
    shown = min(len(rows), _SHOWN)
    rows += [
        (figure.slice, "too few queries", str(figure.n)) for figure in figures if figure.metric == "too_few_queries"
    ]
    return Table(("slice of the queries, the worst first", "nDCG@10", "queries"), rows, shown=shown)


def _fairness(figures: Sequence[Figure]) -> Table:
    rows = [
        (*figure.slice.split(SEPARATOR, 1), with_interval(figure), str(figure.n), _verdict(figure))
        for attribute in FAIRNESS
        for figure in figures
        if figure.metric == f"{_SLICED}_gap" and figure.slice.startswith(f"{attribute}{SEPARATOR}")
    ]
    note = (
        "The gap is the group's nDCG@10 minus that of all other queries. The intervals of all groups of an attribute "
        "hold together with 95 %."
    )
    return Table(("attribute", "group", "gap", "queries", ""), rows, words=2, note=note)


def _verdict(gap: Figure) -> str:
    if gap.low is None or gap.high is None:
        return "cannot be told"
    return "served worse" if gap.high < 0 else "served better" if gap.low > 0 else "no gap that can be told"
