"""The tables at the end of a run: what was ingested, what is served, and how good it is."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from vsearch_lib.figures import ALL, Figure
from vsearch_lib.measure.comparison.evidence import JUDGED
from vsearch_lib.measure.offline.ranking import RANKING_FIGURES
from vsearch_lib.run.runner import StepResult
from vsearch_lib.terminal import printable


def print_summary(results: Sequence[StepResult], console: Console) -> None:
    """Print the figures of a run, its total time, and the lines that its steps reported."""
    figures = [figure for result in results for figure in result.figures]
    facts = _facts(figures)
    if facts.row_count:
        console.print(facts)
    quality = _quality(figures)
    if quality.row_count:
        console.print(quality)
    total = max(result.ended_seconds for result in results) - min(result.began_seconds for result in results)
    console.print(f"{total:.0f} s in {len(results)} steps", highlight=False)
    for result in results:
        for line in result.lines:
            console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _facts(figures: Sequence[Figure]) -> Table:
    table = Table(title="This run", title_justify="left", show_header=False)
    by_name = {(figure.metric, figure.slice): figure.value for figure in figures}
    for metric, label in (
        ("images_landed", "images in"),
        ("images_refused", "images refused"),
        ("images_known", "images in the lake"),
        ("images_embedded", "images embedded"),
        ("interactions_landed", "interactions in"),
        ("judgements_landed", "judgements in"),
        ("index_rows", "index rows"),
        ("index_bytes_per_vector", "bytes a vector (code and row id)"),
    ):
        if (value := by_name.get((metric, "all"))) is not None:
            table.add_row(label, f"{value:,.0f}" if value == int(value) else f"{value:.1f}")
    for (metric, stratum), value in by_name.items():
        if metric == "recall_at_10":
            table.add_row(f"recall@10 against exact, {stratum} pictures", f"{value:.3f}")
    for (metric, pair), value in by_name.items():
        if metric == "cosine_median":
            table.add_row(f"cosine of {pair}, median", f"{value:.2f}")
    return table


def _quality(figures: Sequence[Figure]) -> Table:
    queries = next((figure.value for figure in figures if figure.metric == "judged_queries"), 0)
    table = Table(title=f"{queries:.0f} judged queries, none seen in training", title_justify="left")
    for name in ("", "nDCG@10", "MRR", "mAP"):
        table.add_column(name, justify="right" if name else "left")
    whole = [figure for figure in figures if figure.slice in (ALL, JUDGED)]
    by_name = {(figure.metric, figure.subject): figure.value for figure in whole}
    for name in dict.fromkeys(figure.subject for figure in whole):
        # What is compared on clicked queries has not all of these figures.
        if all((metric, name) in by_name for metric in RANKING_FIGURES):
            values = (f"{by_name[metric, name]:.3f}" for metric in RANKING_FIGURES)
            table.add_row(
                name.removeprefix("model "), *values
            )  # beside other systems, the version identifies the model
    return table
