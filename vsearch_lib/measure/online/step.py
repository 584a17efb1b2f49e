"""Measure what people did with the answers, and draw the page."""

from datetime import timedelta

from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.measure.online.clicks import CLICK_FIGURES, click_figures
from vsearch_lib.measure.online.examination import examination_charts, examination_figures
from vsearch_lib.measure.page_cache import PageCache
from vsearch_lib.report.page import Table, render
from vsearch_lib.run_ids import version_of


def measure_online(context: StepContext) -> list[Figure]:
    """Measure the `online.days` days up to the last event; if nothing has changed, the earlier page is kept."""
    settings = context.settings
    chosen = [section.model_dump_json() for section in (settings.online, settings.clicks)]
    cache = PageCache(context, "measure_online", ("interactions",), settings=chosen)
    if (earlier := cache.load()) is not None:
        return earlier
    interactions = context.lake.read("interactions")
    last = interactions.agg(F.max("event_date")).collect()[0][0]
    if last is None:
        context.say("measure_online: no interactions yet")
        return []
    first = last - timedelta(days=context.settings.online.days - 1)
    measured = interactions.where(F.col("event_date").between(first, last))
    figures = [
        *click_figures(measured),
        *examination_figures(measured, settings.clicks),
    ]
    name = f"online-{version_of(context.run_id)}.html"
    charts = examination_charts(figures)
    page = render("What people did", f"{first} to {last}", _tables(figures), [], charts)
    cache.save(figures, name, page)
    return figures


def _tables(figures: list[Figure]) -> list[Table]:
    value = {(figure.metric, figure.label): figure.value for figure in figures}
    labels = list(dict.fromkeys(figure.label for figure in figures if figure.metric == "requests"))
    clicks = [(name, *(_text(value.get((metric, name))) for metric in CLICK_FIGURES)) for name in labels]
    learnt = [
        (figure.metric.replace("_", " "), figure.slice, _text(figure.value))
        for figure in figures
        if figure.metric in ("robots", "accident_rate", "effective_clicks", "clicked_pairs")
    ]
    return [
        Table(("requests of", *(metric.replace("_", " ") for metric in CLICK_FIGURES)), clicks),
        *([Table(("what clicks say", "of", "value"), learnt, words=2)] if learnt else []),
    ]


def _text(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) or value > 100 else f"{value:.3f}"
