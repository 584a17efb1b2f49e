"""Figures of how far users look down a page, and of what clicks say once that is taken into account."""

import numpy as np

from vsearch_lib.config.examples import Clicks
from vsearch_lib.examples.clicked import Clicked
from vsearch_lib.examples.propensity import NONE, effective_sample_size, inverse_propensity
from vsearch_lib.figures import Figure
from vsearch_lib.report.charts import Chart, Point

_POSITION = "position "


def examination_figures(clicked: Clicked | None, chosen: Clicks) -> list[Figure]:
    """Return the figures of what was learnt from clicks; none if nothing was clicked.

    `examination` is how probably a user looks at a position, relative to the first; its subject is the method of the
    estimate, and it is missing if there are too few clicks. `effective_clicks` is how many clicks of equal weight would
    tell as much as the weighted ones. `clicked_pairs` are pairs of a query and an image with enough impressions and
    clicks to learn from.
    """
    if clicked is None:
        return []
    figures = [
        Figure("robots", row["count"], slice=row["rule"])
        for row in clicked.robots.groupBy("rule").count().orderBy("rule").collect()
    ]
    counts, examination = clicked.counts, clicked.examination
    if not counts.clicks.sum():
        return figures
    pairs = Figure("clicked_pairs", clicked.pairs.count())
    if examination.method == NONE:
        return [*figures, pairs]
    subject = f"method {examination.method}"
    columns = (examination.positions, examination.curve, examination.low, examination.high, examination.clicks)
    figures += [
        Figure("examination", value, subject=subject, slice=f"{_POSITION}{k}", n=int(clicks), low=low, high=high)
        for k, value, low, high, clicks in zip(*(column.tolist() for column in columns), strict=True)
    ]
    weights = np.repeat(inverse_propensity(examination, counts.position, max_weight=chosen.max_weight), counts.clicks)
    return [
        *figures,
        Figure("accident_rate", examination.accident, subject=subject),
        Figure("effective_clicks", effective_sample_size(weights), n=len(weights)),
        pairs,
    ]


def examination_charts(figures: list[Figure]) -> list[Chart]:
    """Return the estimated curve as a chart; none if nothing was estimated."""
    curve = [figure for figure in figures if figure.metric == "examination"]
    points = [
        Point(int(figure.slice.removeprefix(_POSITION)), figure.value, figure.low, figure.high)
        for figure in curve
        if figure.low is not None and figure.high is not None
    ]
    if len(points) < 2:
        return []
    method = curve[0].subject.removeprefix("method ")
    note = f"How probably a user looks at a position, relative to the first; with the 95 % interval. Method: {method}."
    return [Chart("How far users look", points, "position", note)]
