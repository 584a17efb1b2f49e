"""Measure what people did with the answers and how far uploads and queries have drifted, and draw the page."""

from datetime import date, timedelta

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.examples.clicked import learn_from_clicks
from vsearch_lib.examples.propensity import NONE
from vsearch_lib.figures import Figure
from vsearch_lib.measure.online.arms import experiment_figures, experiment_table, judged_experiment
from vsearch_lib.measure.online.drift import drift_figures
from vsearch_lib.measure.online.examination import examination_charts, examination_figures
from vsearch_lib.measure.online.history import period_figures
from vsearch_lib.measure.online.page import click_tables, number
from vsearch_lib.measure.online.periods import Period
from vsearch_lib.measure.page_cache import PageCache
from vsearch_lib.models.promotion import current_model
from vsearch_lib.report.page import Table, render
from vsearch_lib.run_ids import version_of
from vsearch_lib.vectors import Vectors

REFERENCE_WINDOWS = 4  # windows before the measured one, with which it is compared


def measure_online(context: StepContext) -> list[Figure]:
    """Measure the `online.days` days up to the last event; if nothing has changed, the earlier page is kept."""
    settings, asked = context.settings, context.lake.exists("interactions")
    model = current_model(settings).version if asked and context.lake.exists("embeddings") else None
    canary = settings.serving.canary
    chosen = [section.model_dump_json() for section in (settings.online, settings.clicks, canary)]
    cache = PageCache(context, "measure_online", ("interactions", "images", "embeddings"), model=model, settings=chosen)
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
        *_drift(context, first, last),
    ]
    name = f"online-{version_of(context.run_id)}.html"
    charts = examination_charts(figures)
    verdict = [experiment_table(experiment)] if experiment else []
    page = render("What people did", f"{first} to {last}", [*verdict, *_tables(figures)], [], charts)
    cache.save(figures, name, page)
    return figures


def _drift(context: StepContext, first: date, last: date) -> list[Figure]:
    if not context.lake.exists("embeddings"):
        return []
    images = context.lake.read("images").select("image_id", F.col("upload_date").alias("day"))
    asked = context.lake.read("interactions").select(
        F.col("query_image_id").alias("image_id"), F.col("event_date").alias("day")
    )
    figures = []
    for name, seen in (("uploads", images), ("queries", asked)):
        window = timedelta(days=context.settings.online.days)
        new = seen.where(F.col("day").between(first, last))
        before = seen.where((F.col("day") >= first - REFERENCE_WINDOWS * window) & (F.col("day") < first))
        figures += drift_figures(name, _vectors(context, new), _vectors(context, before))
    return figures


def _vectors(context: StepContext, seen: DataFrame) -> Vectors:
    """Return the vectors of a seeded sample of the images in `seen`, one an image."""
    sampled = seen.select("image_id").distinct().orderBy(F.xxhash64("image_id", F.lit(context.settings.online.seed)))
    sampled = sampled.limit(context.settings.online.drift_sample)
    stored = context.lake.read("embeddings").where(F.col("model_version") == current_model(context.settings).version)
    rows = stored.join(F.broadcast(sampled), "image_id").orderBy("image_id").select("vector").toArrow()
    if not rows.num_rows:
        return np.empty((0, 0), dtype=np.float32)
    vectors = rows["vector"].combine_chunks()
    return np.asarray(vectors.flatten(), dtype=np.float32).reshape(len(vectors), -1)


def _tables(figures: list[Figure]) -> list[Table]:
    drift = [(figure.label, f"{figure.value:.4f}") for figure in figures if figure.metric == "energy_distance"]
    learnt = [
        (figure.metric.replace("_", " "), figure.slice, number(figure.value))
        for figure in figures
        if figure.metric in ("robots", "accident_rate", "effective_clicks", "clicked_pairs")
    ]
    return [
        *click_tables(figures),
        *([Table(("what clicks say", "of", "value"), learnt, words=2)] if learnt else []),
        *([Table(("vectors compared with earlier weeks", "energy distance"), drift)] if drift else []),
    ]
