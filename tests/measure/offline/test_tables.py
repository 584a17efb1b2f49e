"""The page shows the figures, the worst slices and groups first, and says so if there are too few queries."""

from __future__ import annotations

from vsearch_lib.figures import Figure
from vsearch_lib.measure.offline.tables import PUBLISHED, tables, with_interval
from vsearch_lib.report.page import Table

INDEX = [Figure("index_rows", 1200, subject="index v1"), Figure("index_bytes_per_vector", 40, subject="index v1")]


def ranked(slice_: str = "all", **values: float) -> list[Figure]:
    return [Figure(name, value, subject=PUBLISHED, slice=slice_, n=40) for name, value in values.items()]


def of(figures: list[Figure], heading: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in table_of(figures, heading).rows]


def table_of(figures: list[Figure], heading: str) -> Table:
    (table,) = [table for table in tables([*INDEX, *figures]) if table.headings[0].startswith(heading)]
    return table


def test_an_index_without_judged_queries_has_one_table():
    (table,) = tables(INDEX)
    assert table.rows == [("index rows", "1,200"), ("bytes a vector, code and row id", "40")]


def test_a_figure_is_shown_with_its_interval():
    assert with_interval(Figure("mrr", 0.5, low=0.25, high=0.75)) == "0.500 (0.250 to 0.750)"
    assert with_interval(Figure("mrr", 0.5)) == "0.500"


def test_systems_depths_and_strata_have_their_figures():
    whole = {"mrr": 0.5, "map": 0.4, "precision_at_10": 0.3, "judged_recall_at_10": 0.2, "hit_rate_at_10": 0.9}
    figures = [
        Figure("judged_queries", 40),
        *ranked(**whole, ndcg_at_10=0.6, ndcg_exponential_at_10=0.1, ndcg_at_10_judged_only=0.7),
        *ranked("crop", ndcg_at_10=0.45, mrr=0.35, map=0.25),
    ]
    assert of(figures, "40 judged queries") == [(PUBLISHED, "0.600", "0.500", "0.400")]
    assert of(figures, "first answers") == [("10", "0.300", "0.200", "0.900", "0.600")]
    assert of(figures, "query of") == [
        ("whole picture", "0.600", "0.500", "0.400", "40"),
        ("crop", "0.450", "0.350", "0.250", "40"),
    ]


def test_slices_keep_their_order_and_small_ones_have_words_in_place_of_a_number():
    figures = [
        *ranked("tag: cup", ndcg_at_10=0.2),
        *ranked("tag: mug", ndcg_at_10=0.7),
        Figure("too_few_queries", 3, subject=PUBLISHED, slice="country: FR", n=3),
    ]
    assert of(figures, "slice of") == [
        ("tag: cup", "0.200", "40"),
        ("tag: mug", "0.700", "40"),
        ("country: FR", "too few queries", "3"),
    ]


def test_slices_without_a_number_and_all_after_the_twelve_worst_are_folded_up():
    small = [Figure("too_few_queries", 3, subject=PUBLISHED, slice=f"country: {n}", n=3) for n in range(20)]
    large = [figure for n in range(20) for figure in ranked(f"tag: {n:02d}", ndcg_at_10=n / 20)]
    assert table_of([*large[:2], *small], "slice of").shown == 2
    assert table_of([*large, *small], "slice of").shown == 12


def test_a_gap_is_told_only_if_the_whole_interval_is_on_one_side():
    def gap(country: str, value: float, low: float | None, high: float | None) -> Figure:
        return Figure("ndcg_at_10_gap", value, subject=PUBLISHED, slice=f"country: {country}", n=40, low=low, high=high)

    figures = [
        gap("DE", -0.3, -0.4, -0.2),
        gap("FR", 0.1, -0.1, 0.3),
        gap("NL", 0.3, 0.1, 0.5),
        gap("X", 0, None, None),
    ]
    assert [row[-1] for row in of(figures, "attribute")] == [
        "served worse",
        "no gap that can be told",
        "served better",
        "cannot be told",
    ]
    assert of(figures, "attribute")[0][:4] == ("country", "DE", "-0.300 (-0.400 to -0.200)", "40")
