"""Queries of the test split whose answers people clicked: which images they preferred, without position bias."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.examples.clicked import agreeing_with_judgements, days_to_learn_from, learn_from_clicks
from vsearch_lib.examples.judgements import pair_grades
from vsearch_lib.measure.offline.judged import judged_queries
from vsearch_lib.measure.offline.ranking import Judgements

_GRADES = 100  # relevance, from 0 to 1, in whole steps


def clicked_queries(context: StepContext, images: DataFrame) -> Judgements:
    """Return query → image → grade (1 to 100) for a seeded sample of the clicked queries of the test split.

    The pairs are those that training would learn from (`examples/clicked.py`): displayed and clicked often enough, by
    users who are no robots, and not contradicted by an annotator. The grade is what clicks say about the pair once the
    positions are taken into account. Training sees no query of the test split, so the last days count too.

    Args:
        context: of the step.
        images: image_id, split of the images that may be queries and answers.
    """
    settings, lake = context.settings, context.lake
    chosen = settings.clicks.model_copy(update={"test_days": 0})
    clicked = learn_from_clicks(days_to_learn_from(lake.read("interactions"), chosen), chosen)
    if clicked is None:
        return {}
    grades = pair_grades(lake.read("judgements"))
    pairs = agreeing_with_judgements(clicked.pairs, grades, min_grade=settings.examples.min_grade)
    graded = pairs.withColumn("score", F.greatest(F.lit(1.0), F.col("relevance") * _GRADES))
    evaluation = settings.evaluation
    return judged_queries(graded, images, seed=evaluation.seed, limit=evaluation.max_queries)
