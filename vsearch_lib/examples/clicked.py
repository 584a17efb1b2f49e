"""What clicks say about pairs of images, from the logged events to evidence without robots and position bias."""

from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.config.examples import Clicks
from vsearch_lib.examples.clicks import count_outcomes, evidence, once_per_user, outcomes, robots
from vsearch_lib.examples.propensity import Counts, Examination, estimate_examination
from vsearch_lib.spark.checkpoint import checkpointed


@dataclass(frozen=True)
class Clicked:
    """What was learnt from clicks.

    Attributes:
        robots: users whose events do not count: user_id, rule.
        counts: the outcomes from which the examination curve was estimated.
        examination: the curve.
        pairs: the evidence for pairs of images, as `clicks.evidence` returns it.
    """

    robots: DataFrame
    counts: Counts
    examination: Examination
    pairs: DataFrame


def learn_from_clicks(interactions: DataFrame, chosen: Clicks) -> Clicked | None:
    """Return what `interactions` (columns of the table) say about pairs of images; None if nothing was clicked."""
    found = checkpointed(outcomes(interactions, chosen))
    if found.where("clicked").isEmpty():
        return None
    suspects = checkpointed(robots(found, chosen))
    honest = checkpointed(once_per_user(found.join(F.broadcast(suspects.select("user_id")), "user_id", "left_anti")))
    counts = count_outcomes(honest, chosen)
    examination = estimate_examination(counts, min_clicks=chosen.min_position_clicks)
    return Clicked(suspects, counts, examination, evidence(honest, examination, chosen))


def days_to_learn_from(interactions: DataFrame, chosen: Clicks) -> DataFrame:
    """Return the events of the `clicks.days` days that training learns from: they end where the days of the test begin.

    The last `clicks.test_days` days with events are the test by time: what people click later is compared with what a
    model learnt from what they had clicked before.
    """
    last = interactions.agg(F.max("event_date")).collect()[0][0]
    if last is None:
        return interactions.limit(0)
    until = last - timedelta(days=chosen.test_days)
    return interactions.where(F.col("event_date").between(until - timedelta(days=chosen.days - 1), until))


def agreeing_with_judgements(pairs: DataFrame, grades: DataFrame, *, min_grade: float) -> DataFrame:
    """Return the `pairs` that annotators graded `min_grade` or higher, or that nobody graded.

    Args:
        pairs: query_image_id, image_id, and any other columns.
        grades: query_image_id, image_id, grade.
    """
    graded = grades.select("query_image_id", "image_id", "grade")
    joined = pairs.join(graded, ["query_image_id", "image_id"], "left")
    return joined.where(F.coalesce(F.col("grade") >= min_grade, F.lit(True))).drop("grade")
