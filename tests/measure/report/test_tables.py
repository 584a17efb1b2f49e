"""Figures of a topic become tables in which none is lost, and the worst slice comes first."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsearch_lib.figures import Figure
from vsearch_lib.lake.metrics import Recorded
from vsearch_lib.measure.report.figure_text import cell_text, words
from vsearch_lib.measure.report.tables import everything_else, topic_tables
from vsearch_lib.measure.report.topics import TOPICS, Topic, is_profile, topic_of

AT = datetime(2026, 11, 30, 4, 5, tzinfo=UTC)
RANKING = Topic("Ranking", "", ("ndcg*", "mrr", "*"), better="higher")


def recorded(*figures: Figure) -> list[Recorded]:
    return [Recorded(figure, figure.subject, "run", AT) for figure in figures]


def test_metrics_of_the_same_systems_are_columns_of_one_table():
    figures = [
        Figure("mrr", 0.5, subject="pixels", n=87),
        Figure("mrr", 1.0, subject="index", n=87),
        Figure("ndcg_at_10", 0.25, subject="pixels", n=87),
        Figure("ndcg_at_10", 0.75, subject="index", n=87, low=0.5, high=0.875),
        Figure("judged_queries", 87),
    ]
    systems, facts = topic_tables(RANKING, recorded(*figures))
    assert systems.headings == ("of", "ndcg@10", "mrr", "n")
    assert systems.rows == [("index", "0.750 (0.500 to 0.875)", "1", "87"), ("pixels", "0.250", "0.500", "87")]
    assert facts.rows == [("judged queries", "all", "87", "")]


def test_a_table_without_counts_has_no_column_for_them_and_names_with_numbers_are_in_order():
    figures = [Figure(f"ndcg_at_{k}", 0.5, subject=name) for k in (100, 5, 10) for name in ("a", "b")]
    [table] = topic_tables(RANKING, recorded(*figures))
    assert table.headings == ("of", "ndcg@5", "ndcg@10", "ndcg@100")
    assert table.rows == [("a", "0.500", "0.500", "0.500"), ("b", "0.500", "0.500", "0.500")]


def sliced(metric: str, **values: float) -> list[Figure]:
    return [Figure(metric, value, subject="index", slice=name, n=20) for name, value in values.items()]


def test_slices_are_sorted_by_the_first_metric_worst_first():
    figures = [*sliced("ndcg_at_10", mug=0.9, lamp=0.3, sofa=0.6), *sliced("mrr", mug=0.1, lamp=1.0, sofa=0.5)]
    [table] = topic_tables(RANKING, recorded(*figures))
    assert table.title == "Slices, worst first"
    assert [row[0] for row in table.rows] == ["index, lamp", "index, sofa", "index, mug"]
    assert table.note == "sorted by ndcg@10"


def test_if_less_is_better_the_greatest_slice_is_the_worst():
    lower = Topic("Drift", "", ("*",), better="lower")
    [table] = topic_tables(lower, recorded(*sliced("energy_distance", a=0.1, b=0.3)))
    assert [row[0] for row in table.rows] == ["index, b", "index, a"]


def test_slices_of_time_come_newest_first_in_a_table_of_their_own():
    days = {"2026-11-01": 0.1, "2026-11-03": 0.3, "2026-11-02": 0.2}
    figures = [Figure("ndcg_at_10", 0.2), *(Figure("ndcg_at_10", v, slice=day) for day, v in days.items())]
    whole, by_time = topic_tables(RANKING, recorded(*figures))
    assert (whole.title, len(whole.rows)) == ("", 1)
    assert [row[0] for row in by_time.rows] == ["2026-11-03", "2026-11-02", "2026-11-01"]


FIGURES = st.lists(
    st.builds(
        Figure,
        st.sampled_from(["ndcg_at_10", "mrr", "click_through_rate", "step_seconds", "tag_share", "unheard_of"]),
        st.floats(0, 1000),
        subject=st.sampled_from(["all", "published index", "index", "model", "uploads", "variant A", "odd"]),
        slice=st.sampled_from(["all", "tag mug", "2026-11-01", "2026-W45"]),
        n=st.none() | st.integers(1, 99),
    ),
    max_size=40,
    unique_by=lambda figure: (figure.metric, figure.subject, figure.slice),
)


@settings(deadline=None)
@given(FIGURES)
def test_every_figure_is_in_one_topic_in_the_profile_or_among_everything_else_and_none_is_lost(figures):
    everything = recorded(*figures)
    others = [r for r in everything if topic_of(r) is None and not is_profile(r)]
    assert len(everything_else(others).rows) == len(others)
    for topic in TOPICS:
        ours = [r for r in everything if topic_of(r) is topic]
        cells = []
        for table in topic_tables(topic, ours):
            for row in table.rows:
                if table.headings[0] == "figure":
                    cells.append((row[0], row[1], row[2]))
                else:
                    pairs = zip(table.headings[1:], row[1:], strict=True)
                    cells += [(name, row[0], cell) for name, cell in pairs if name != "n"]
        assert sorted(cells) == sorted((words(r.figure.metric), r.figure.label, cell_text(r.figure)) for r in ours)


def test_what_nobody_has_declared_is_shown_with_the_time_of_its_run():
    table = everything_else(recorded(Figure("quokkas", 3, subject="zoo", slice="night", n=7, low=1, high=5)))
    assert table.rows == [("quokkas", "zoo, night", "3", "1 to 5", "7", "2026-11-30 04:05")]


@pytest.mark.parametrize(
    ("metric", "kind", "title"),
    [
        ("ndcg_at_10", "published index", "Ranking of judged queries"),
        ("judged_queries", "all", "Ranking of judged queries"),
        ("recall_at_10", "index", "The published index"),
        ("cosine_median", "index", "Size and shape of the index"),
        ("ndcg_at_10_gain", "model over model", "Models and indexes side by side"),
        ("click_through_rate_gain", "variant b over a", "Experiments"),
        ("click_through_rate", "variant b", "What people did"),
        ("impression_gini", "all", "What people did"),
        ("energy_distance", "uploads", "Drift and alerts"),
        ("verdict", "drift of brightness", "Drift and alerts"),
        ("validation_recall", "model", "Models and their training"),
        ("images_landed", "all", "What landed"),
        ("step_seconds", "evaluate", "The work of the steps"),
    ],
)
def test_a_metric_is_in_its_topic(metric, kind, title):
    topic = topic_of(Recorded(Figure(metric, 1.0), kind, "run", AT))
    assert topic is not None
    assert topic.title == title


def test_slices_of_the_profile_and_unknown_metrics_are_in_no_topic():
    assert topic_of(Recorded(Figure("tag_share", 0.5, slice="mug"), "all", "run", AT)) is None
    assert topic_of(Recorded(Figure("quokkas", 0.5), "zoo", "run", AT)) is None
