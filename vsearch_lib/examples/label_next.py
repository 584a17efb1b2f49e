"""The pairs of images most worth a human look: where model and clicks disagree, unsure ones, and some at random."""

import csv
import io
from dataclasses import dataclass
from functools import reduce

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.artefact.pointer import read_pointer
from vsearch_lib.config import Settings
from vsearch_lib.errors import VsearchError
from vsearch_lib.examples.clicked import learn_from_clicks
from vsearch_lib.examples.judgements import pair_grades
from vsearch_lib.examples.neighbours import index_neighbours
from vsearch_lib.examples.propensity.counts import Floats, Ints
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.lake import Lake
from vsearch_lib.models.promotion import current_model
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.storage import open_store

DISAGREE = "model and clicks disagree"
UNSURE = "the model is least sure"
RANDOM = "random"
_POOL = 20_000  # pairs among which is chosen
_SAMPLED_QUERIES = 200  # whose answers are in the pool, besides what users were shown
_ANSWERS = 20


@dataclass(frozen=True)
class PairToLabel:
    """A pair to score, the model's cosine, what clicks say (0 to 1, None if not known), and why it was chosen."""

    query_image_id: str
    image_id: str
    cosine: float
    relevance: float | None
    reason: str


def pairs_to_label(lake: Lake, settings: Settings, *, pairs: int) -> list[PairToLabel]:
    """Return up to `pairs` pairs of public images that nobody has judged, a third for each reason.

    Raises:
        VsearchError: there is no such pair.
        ArtefactError: there is no model.
    """
    model, seed = current_model(settings).version, settings.evaluation.seed
    images = checkpointed(images_with_split(lake, settings).select("image_id", "group"))
    judgements = lake.read("judgements")
    cosines = _with_cosines(lake, model, _pool(lake, settings, images, judgements))
    chance = F.xxhash64("query_image_id", "image_id", F.lit(seed))
    pool = cosines.orderBy(chance, "query_image_id", "image_id").limit(_POOL).toPandas()
    if pool.empty:
        raise VsearchError(
            "no pair to label: no answer of the index and no page that users saw has two public images without a "
            "judgement; run vsearch run nightly first"
        )
    judged = _with_cosines(lake, model, pair_grades(judgements).limit(_POOL)).select("cosine", "grade").toPandas()
    boundary = boundary_of(judged["cosine"].to_numpy(), judged["grade"].to_numpy() >= settings.examples.min_grade)
    relevance = pool["relevance"].to_numpy(dtype=np.float64)
    cosine = pool["cosine"].to_numpy(dtype=np.float64)
    chosen = choose(cosine, relevance, boundary, pairs=pairs, seed=seed)
    return [
        PairToLabel(
            pool["query_image_id"][row],
            pool["image_id"][row],
            float(cosine[row]),
            None if np.isnan(relevance[row]) else float(relevance[row]),
            reason,
        )
        for reason, rows in chosen.items()
        for row in rows.tolist()
    ]


def boundary_of(cosine: Floats, alike: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float | None:
    """Return the cosine halfway between the means of alike and of other judged pairs; None if one kind is missing."""
    if not alike.any() or alike.all():
        return None
    return float((cosine[alike].mean() + cosine[~alike].mean()) / 2)


def choose(cosine: Floats, relevance: Floats, boundary: float | None, *, pairs: int, seed: int) -> dict[str, Ints]:
    """Return, for each reason, the rows of the chosen pairs, each row once: a third for each reason.

    Model and clicks disagree most about a pair whose rank by cosine is farthest from its rank by relevance. The model
    is least sure about a pair whose cosine is nearest to the boundary. If there are too few clicked pairs, there are
    more unsure ones.

    Args:
        cosine: (n,) of each pair.
        relevance: (n,) by clicks, NaN if not known.
        boundary: between alike and other pairs; None if not known: then it is the median cosine.
        pairs: how many to choose.
        seed: of the random ones.
    """
    known = np.flatnonzero(~np.isnan(relevance))
    gap = np.abs(_rank(cosine[known]) - _rank(relevance[known]))
    disagree = known[np.argsort(-gap, kind="stable")][: pairs // 3]
    disagree = disagree[np.isin(disagree, known[gap > 0])]
    rest = np.setdiff1d(np.arange(len(cosine)), disagree)
    middle = np.median(cosine) if boundary is None else boundary
    distance = np.abs(cosine[rest] - middle)
    unsure = rest[np.argsort(distance, kind="stable")][: 2 * pairs // 3 - len(disagree)]
    rest = np.setdiff1d(rest, unsure)
    random = np.random.default_rng(seed).permutation(rest)[: pairs - len(disagree) - len(unsure)]
    return {DISAGREE: disagree, UNSURE: unsure, RANDOM: random}


def _rank(values: Floats) -> Floats:
    """Return the mean rank of each value, from 0 to 1."""
    ordered = np.sort(values)
    ends = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    return np.asarray(ends / (2 * max(1, len(values))))


def landing_csv(pairs: list[PairToLabel]) -> str:
    """Return the pairs in the landing format of judgements; annotator and score are empty."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(("query_image_id", "image_id", "annotator", "score"))
    writer.writerows((pair.query_image_id, pair.image_id, "", "") for pair in pairs)
    return sink.getvalue()


def _pool(lake: Lake, settings: Settings, images: DataFrame, judgements: DataFrame) -> DataFrame:
    """Return the pairs that may be chosen: query_image_id, image_id, relevance (null if clicks say nothing)."""
    # A pair that users saw and never clicked says as much as one that they clicked.
    every_pair = settings.clicks.model_copy(update={"min_pair_clicks": 0})
    clicked = learn_from_clicks(lake.read("interactions"), every_pair)
    columns = ["query_image_id", "image_id", "relevance"]
    frames = [clicked.pairs.select(columns)] if clicked else []
    if (pointer := read_pointer(open_store(settings.index.uri))) is not None:
        chance = F.xxhash64("image_id", F.lit(settings.evaluation.seed))
        queries = images.orderBy(chance, "image_id").limit(_SAMPLED_QUERIES)
        asked = queries.select(F.col("image_id").alias("query_image_id"))
        found = index_neighbours(
            lake.read("embeddings"), settings, asked, pointer.version, first_rank=1, last_rank=_ANSWERS
        )
        frames.append(found.withColumn("relevance", F.lit(None).cast("double")).select(columns))
    if not frames:
        return images.limit(0).select(
            F.col("image_id").alias("query_image_id"), "image_id", F.lit(None).cast("double").alias("relevance")
        )
    pairs = (
        reduce(DataFrame.unionByName, frames)
        .groupBy("query_image_id", "image_id")
        .agg(F.max("relevance").alias("relevance"))
    )
    one = images.select(F.col("image_id").alias("query_image_id"), F.col("group").alias("_one"))
    other = images.select("image_id", F.col("group").alias("_other"))
    different = pairs.join(one, "query_image_id").join(other, "image_id").where("_one != _other")
    judged = judgements.select("query_image_id", "image_id")
    return different.select(columns).join(judged, ["query_image_id", "image_id"], "left_anti")


def _with_cosines(lake: Lake, model: str, pairs: DataFrame) -> DataFrame:
    """Return the pairs whose images the model has embedded, with the column cosine."""
    vectors = lake.read("embeddings").where(F.col("model_version") == model).select("image_id", "vector")
    query = vectors.select(F.col("image_id").alias("query_image_id"), F.col("vector").alias("_query"))
    joined = pairs.join(query, "query_image_id").join(vectors, "image_id")
    products = F.zip_with("_query", "vector", lambda one, other: one.cast("double") * other)
    cosine = F.aggregate(products, F.lit(0.0), lambda total, product: total + product)
    return joined.withColumn("cosine", cosine).drop("_query", "vector")
