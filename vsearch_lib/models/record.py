"""What is known of a model, as tables and charts: its card, and its figures from the table `metrics`."""

import math
from collections.abc import Mapping, Sequence

from vsearch_lib.figures import ALL, Figure
from vsearch_lib.models.registry import Card
from vsearch_lib.report.charts import Chart, Point
from vsearch_lib.report.page import Table

_RECALL_NOTE = "Recall among as many answers as a picture has relevant ones; 0 is before the training."


def subject_of(card: Card) -> str:
    """Return the subject of the model's figures."""
    return f"model {card.version}"


def record_tables(card: Card, figures: Sequence[Figure], *, is_in_use: bool) -> list[Table]:
    """Return the model's facts, settings and figures; `figures` are about it, or about it over another model."""
    files = [(name, sha256) for name, sha256 in sorted(card.files.items())]
    settings = [(name, _shown(value)) for name, value in sorted(card.training.items()) if name != "curve"]
    tables = [
        Table(("model", card.version), _facts(card, is_in_use), words=2),
        Table(("file", "sha256"), files, words=2),
    ]
    if settings:
        tables.append(Table(("training", ""), settings))
    note = "" if figures else "No figure of this model was recorded yet."
    headings = ("figure", "of", "value", "95 % interval", "n")
    rows = [_figure_row(card, figure) for figure in figures]
    return [*tables, Table(headings, rows, words=2, note=note)]


def record_charts(card: Card) -> list[Chart]:
    """Return the curves of the training: loss and recall on validation images. A curve of one point is left out."""
    curve = card.training.get("curve") or {}
    epochs = curve.get("epochs", [])
    losses = {n: epoch["loss"] for n, epoch in enumerate(epochs, start=1)}
    recalls = {0: curve.get("recall_at_start"), **{n: epoch["recall"] for n, epoch in enumerate(epochs, start=1)}}
    charts = {"loss": (losses, ""), "recall on validation images": (recalls, _RECALL_NOTE)}
    return [
        Chart(title, points, "epoch", note, top=max(1, math.ceil(max(point.value for point in points))))
        for title, (values, note) in charts.items()
        if len(points := _points(values)) > 1
    ]


def _points(values: Mapping[int, float | None]) -> list[Point]:
    return [Point(n, value, value, value) for n, value in values.items() if value is not None]


def _facts(card: Card, is_in_use: bool) -> list[tuple[str, str]]:
    recipe, pixels = card.recipe, card.preprocessing
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (pixels.mean, pixels.std))
    return [
        ("in use", "yes" if is_in_use else "no"),
        ("backbone", recipe.backbone),
        ("initial weights", recipe.weights),
        ("trained", recipe.training),
        ("dimension", str(card.dimension)),
        ("preprocessing", f"{pixels.side} × {pixels.side} pixels, {pixels.crop}, {pixels.interpolation}"),
        ("mean, std", f"{mean}; {std}"),
        ("snapshot", card.training_snapshot or "none"),
        ("parent", card.parent or ("none" if card.code_version else "not recorded")),
        ("code version", card.code_version or "not recorded"),
        ("run", card.run_id),
    ]


def _shown(value: object) -> str:
    return "null" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _figure_row(card: Card, figure: Figure) -> tuple[str, ...]:
    parts = (figure.subject.removeprefix(subject_of(card)).strip(), figure.slice)
    of = ", ".join(part for part in parts if part not in ("", ALL))
    interval = "" if figure.low is None or figure.high is None else f"{figure.low:.3f} to {figure.high:.3f}"
    return (figure.metric, of, f"{figure.value:.4g}", interval, "" if figure.n is None else f"{figure.n:,}")
