"""The positives of each source that the settings mix, and all pairs of images that are known to belong together."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.config import Settings
from vsearch_lib.examples.augmentation import augmentation_pairs
from vsearch_lib.examples.clicked import Clicked, agreeing_with_judgements, days_to_learn_from, learn_from_clicks
from vsearch_lib.examples.co_clicks import co_click_classes, co_click_pairs
from vsearch_lib.examples.inputs import Inputs
from vsearch_lib.examples.judgements import judged_pairs, pair_grades
from vsearch_lib.spark.checkpoint import checkpointed


@dataclass(frozen=True)
class Sources:
    """What training learns from.

    Attributes:
        pairs: source → its pairs of images to learn from: query_image_id, image_id, strength.
        known: frames of (query_image_id, image_id): pairs that were judged or clicked as similar, in use or not.
        clicked: what was learnt from clicks; None if nothing was clicked.
    """

    pairs: dict[str, DataFrame]
    known: list[DataFrame]
    clicked: Clicked | None


def collect_sources(inputs: Inputs, images: DataFrame, settings: Settings) -> Sources:
    """Return the sources with a weight above 0 in `examples.mix`, over `images` (image_id)."""
    chosen, clicks = settings.examples, settings.clicks
    weights = chosen.mix.model_dump()
    judgements = inputs.read("judgements")
    judged = judged_pairs(judgements, min_grade=chosen.min_grade, max_spread=chosen.max_spread)
    pairs = {
        "augmentation": augmentation_pairs(images),
        "judgement": judged.withColumn("strength", F.col("grade")),
    }
    # Annotators who disagree may be right: such a pair is no positive, but no negative either.
    known = [judgements.where(F.col("score") >= chosen.min_grade)]
    clicked = learn_from_clicks(days_to_learn_from(inputs.read("interactions"), clicks), clicks)
    if clicked is not None:
        evidence = checkpointed(clicked.pairs)
        known.append(evidence)
        strong = evidence.withColumn("strength", F.col("relevance"))
        pairs["click"] = strong
        pairs["cleaned_click"] = agreeing_with_judgements(strong, pair_grades(judgements), min_grade=chosen.min_grade)
        if weights["co_click"]:
            classes = co_click_classes(
                evidence, min_shared_queries=clicks.min_shared_queries, max_images=clicks.max_class_images
            )
            classes = checkpointed(classes.join(images.select("image_id"), "image_id", "left_semi"))
            pairs["co_click"] = co_click_pairs(classes, seed=chosen.candidates_seed)
            members = classes.select("class", F.col("image_id").alias("query_image_id"))
            known.append(members.join(classes, "class").where("query_image_id != image_id"))
    used = {name: _among(frame, images) for name, frame in pairs.items() if weights[name]}
    return Sources(used, known, clicked)


def _among(pairs: DataFrame, images: DataFrame) -> DataFrame:
    """Return the pairs whose images are both in `images`."""
    ids = images.select("image_id")
    both = pairs.join(ids, "image_id", "left_semi")
    both = both.join(ids.withColumnRenamed("image_id", "query_image_id"), "query_image_id", "left_semi")
    return both.select("query_image_id", "image_id", "strength")
