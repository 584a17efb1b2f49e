"""The tables at the end of a run show what a user asks first."""

from io import StringIO

from rich.console import Console

from vsearch_lib.figures import Figure
from vsearch_lib.run.runner import StepResult
from vsearch_lib.run.summary import print_summary
from vsearch_lib.steps import STEPS

RANKED = {"ndcg_at_10": 0.5, "mrr": 0.25, "map": 0.125}


def shown(*figures: Figure) -> list[list[str]]:
    """The printed rows, as lists of cells."""
    console = Console(file=StringIO(), width=120)
    beside = StepResult(STEPS["monitor"], [], [], 11.0, 13.5)
    print_summary([StepResult(STEPS["evaluate"], list(figures), ["a line"], 10.0, 12.0), beside], console)
    lines = console.file.getvalue().replace("┃", "│").splitlines()
    return [[cell.strip() for cell in line.strip().removeprefix("│").removesuffix("│").split("│")] for line in lines]


def ranked(subject: str) -> list[Figure]:
    return [Figure(metric, value, subject=subject, n=7) for metric, value in RANKED.items()]


def test_counts_recall_and_cosines_have_a_row_for_any_index_or_model():
    rows = shown(
        Figure("images_landed", 1200),
        Figure("images_passed_over", 3, slice="video"),
        Figure("images_embedded", 1100, subject="model m1"),
        Figure("index_rows", 1000, subject="index v1"),
        Figure("index_bytes_per_vector", 16.5, subject="index v1"),
        Figure("recall_at_10", 0.98765, subject="index v1", slice="new", n=200, low=0.97, high=1.0),
        Figure("cosine_median", 0.625, subject="index v1", slice="strangers"),
    )
    assert [row for row in rows if len(row) == 2] == [
        ["images in", "1,200"],
        ["images embedded", "1,100"],
        ["index rows", "1,000"],
        ["bytes a vector (code and row id)", "16.5"],
        ["recall@10 against exact, new pictures", "0.988"],
        ["cosine of strangers, median", "0.62"],
    ]
    assert rows[-2:] == [["4 s in 2 steps"], ["a line"]]


def test_each_system_has_a_row_and_a_model_is_named_by_its_version():
    rows = shown(Figure("judged_queries", 7), *ranked("model m2"), *ranked("model, exact search"))
    assert ["7 judged queries, none seen in training"] in rows
    assert [row for row in rows if len(row) == 4] == [
        ["", "nDCG@10", "MRR", "mAP"],
        ["m2", "0.500", "0.250", "0.125"],
        ["model, exact search", "0.500", "0.250", "0.125"],
    ]


def test_models_that_were_compared_on_clicks_alone_have_no_row_among_judged_queries():
    rows = shown(Figure("ndcg_at_10", 0.5, subject="model m2", slice="clicked", n=7))
    assert [row for row in rows if len(row) == 4] == []
