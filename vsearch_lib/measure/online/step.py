"""Measure what people did with the answers, and draw the page."""

from datetime import timedelta

from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.examples.clicked import learn_from_clicks
from vsearch_lib.examples.propensity import NONE
from vsearch_lib.figures import Figure
from vsearch_lib.measure.online.arms import experiment_figures, experiment_table, judged_experiment
from vsearch_lib.measure.online.examination import examination_charts, examination_figures
from vsearch_lib.measure.online.history import period_figures
from vsearch_lib.measure.online.page import click_tables, number
from vsearch_lib.measure.online.periods import Period
from vsearch_lib.measure.page_cache import PageCache
from vsearch_lib.report.page import Table, render
from vsearch_lib.run_ids import version_of


def measure_online(context: StepContext) -> list[Figure]:
    """Measure the `online.days` days up to the last event; if nothing has changed, the earlier page is kept."""
    settings, canary = context.settings, context.settings.serving.canary
    chosen = [section.model_dump_json() for section in (settings.online, settings.clicks, canary)]
    cache = PageCache(context, "measure_online", ("interactions", "images"), settings=chosen)
    if (earlier := cache.load()) is not None:
        return earlier
    interactions = context.lake.read("interactions")
    last = interactions.agg(F.max("event_date")).collect()[0][0]
    if last is None:
        context.say("measure_online: no interactions yet")
        return []
    first = last - timedelta(days=context.settings.online.days - 1)
    measured = interactions.where(F.col("event_date").between(first, last))
    learnt = learn_from_clicks(measured, settings.clicks)
    examination = learnt.examination if learnt and learnt.examination.method != NONE else None
    begin = last - timedelta(days=settings.online.experiment_days - 1)
    experiment = judged_experiment(interactions, Period(canary.name, begin, last).days, canary)
    figures = [
        *period_figures(context.lake, first, last, examination),
        *(experiment_figures(experiment) if experiment else ()),
        *examination_figures(learnt, settings.clicks),
    ]
    name = f"online-{version_of(context.run_id)}.html"
    charts = examination_charts(figures)
    verdict = [experiment_table(experiment)] if experiment else []
    page = render("What people did", f"{first} to {last}", [*verdict, *_tables(figures)], [], charts)
    cache.save(figures, name, page)
    return figures


def _tables(figures: list[Figure]) -> list[Table]:
    learnt = [
        (figure.metric.replace("_", " "), figure.slice, number(figure.value))
        for figure in figures
        if figure.metric in ("robots", "accident_rate", "effective_clicks", "clicked_pairs")
    ]
    return [
        *click_tables(figures),
        *([Table(("what clicks say", "of", "value"), learnt, words=2)] if learnt else []),
    ]
