"""Two models on the same queries: on judged ones, else on clicked ones, else on parts of pictures and with a guard."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import as_arrays, features_model, features_recipe, stored_features
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.figures import Figure
from vsearch_lib.images.decode import Limits
from vsearch_lib.measure.comparison.clicked import clicked_queries
from vsearch_lib.measure.comparison.evidence import CLICKED, JUDGED, Evidence, Pair
from vsearch_lib.measure.comparison.frozen_neighbours import frozen_neighbour_evidence, frozen_neighbours
from vsearch_lib.measure.comparison.own_views import own_view_evidence, views_of
from vsearch_lib.measure.offline.formulas import Measures
from vsearch_lib.measure.offline.gallery import SHOWN
from vsearch_lib.measure.offline.judged import judged_queries, measured_images, pictures_of
from vsearch_lib.measure.offline.ranking import (
    DEPTH,
    RANKING_FIGURES,
    Judgements,
    Rankings,
    exact_rankings,
    measured,
)
from vsearch_lib.measure.offline.side_by_side import Encode, encode_each
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registry import Card
from vsearch_lib.spark.checkpoint import checkpointed
from vsearch_lib.vectors import Vectors


@dataclass(frozen=True)
class Comparison:
    """What is known about a new model and the one in use.

    Attributes:
        evidence: what decides between them; empty if there is not enough of any kind.
        missing: why it is empty, in words.
    """

    evidence: list[Evidence] = field(default_factory=list)
    missing: str = ""

    @property
    def figures(self) -> list[Figure]:
        """The figures of all evidence."""
        return [figure for one in self.evidence for figure in one.figures]


def compare(context: StepContext, new: Card, used: Card) -> Comparison:
    """Compare two models on the best evidence of which there is enough: on `gate.min_compared_queries` queries.

    Judged queries of the test split are the best evidence, then clicked ones. Without them, parts of test pictures look
    for their pictures, and a guard measures whether the neighbours in the frozen backbone's features are kept.

    Both models rank the same pictures by exact search, and embed them here from the stored pixels.

    Raises:
        GateRefused: too many of the frozen backbone's features cannot be computed.
    """
    settings, lake = context.settings, context.lake
    chosen, needed = settings.evaluation, settings.gate.min_compared_queries
    stored = lake.read("image_pixels").select("sha256")
    images = images_with_split(lake, settings).join(stored, "sha256", "left_semi")
    judgements = lake.read("judgements")
    judged = answered(judged_queries(judgements, images, seed=chosen.seed, limit=chosen.max_queries))
    if len(judged) >= needed:
        return Comparison([_ranked(context, new, used, images, JUDGED, judged)])
    clicked = clicked_queries(context, images)
    if len(clicked) >= needed:
        return Comparison([_ranked(context, new, used, images, CLICKED, clicked)])
    few = f"{len(judged)} judged and {len(clicked)} clicked queries of the test split are too few"
    return _without_people(context, new, used, _one_of_each_group(images), few)


def answered(judged: Judgements) -> Judgements:
    """Leave out the queries for which annotators found nothing alike: all models are equal on them."""
    return {query: scores for query, scores in judged.items() if any(scores.values())}


def _one_of_each_group(images: DataFrame) -> DataFrame:
    """Return one image of each group of near-duplicates: a copy is as good an answer as the picture itself."""
    first = F.min(F.struct("image_id", "sha256", "split")).alias("first")
    return images.groupBy("group").agg(first).select("first.*")


def _shared_backbone(models_uri: str, new: Card, used: Card) -> Card | None:
    """Return the pretrained backbone from which both models start, None if there is no such one."""
    recipe = features_recipe(new.recipe)
    is_shared = recipe == features_recipe(used.recipe) and recipe.weights != "none"
    return features_model(models_uri, recipe) if is_shared else None


def _ranked(context: StepContext, new: Card, used: Card, images: DataFrame, kind: str, graded: Judgements) -> Evidence:
    """Return nDCG@10 on graded queries, and on judged ones the other ranking figures."""
    chosen = context.settings.evaluation
    ranked = measured_images(images, graded, seed=chosen.seed, limit=chosen.max_catalogue)
    ids, vectors = encode_each(pictures_of(context.lake, ranked), _encoders(context, new, used))
    known = set(ids)
    queries = [query for query in graded if query in known]
    values, answers = {}, {}
    for version, encoded in vectors.items():
        rankings = exact_rankings(queries, ids, encoded, depth=DEPTH)
        names = RANKING_FIGURES if kind == JUDGED else RANKING_FIGURES[:1]
        values[version] = measured(graded, rankings, Measures()).only(names)
        answers[version] = first_answers(rankings, ids, encoded)
    return Pair(new.version, used.version, chosen.seed).evidence(kind, "ndcg_at_10", values, answers)


def first_answers(rankings: Rankings, ids: Sequence[str], vectors: Vectors) -> dict[str, list[tuple[str, float]]]:
    """Return the first `SHOWN` answers to each query, with their cosines by the `vectors` (n, d) of `ids`."""
    place = {image: row for row, image in enumerate(ids)}
    return {
        query: [(image, float(vectors[place[query]] @ vectors[place[image]])) for image in ranked[:SHOWN]]
        for query, ranked in rankings.items()
    }


def _without_people(context: StepContext, new: Card, used: Card, images: DataFrame, few: str) -> Comparison:
    """Compare by how parts of pictures find their own picture, and by the frozen backbone's neighbours that are kept.

    Args:
        context: of the step.
        new: the new model.
        used: the model in use.
        images: image_id, sha256, split, without copies.
        few: what of people's answers is too little, in words.
    """
    settings, lake = context.settings, context.lake
    chosen, needed = settings.evaluation, settings.gate.min_compared_queries
    backbone = _shared_backbone(settings.models.uri, new, used)
    if backbone is None:
        return Comparison(missing=f"{few}, and the two models do not start from the same pretrained backbone")
    tests = images.where("split = 'test'").orderBy(F.xxhash64("image_id", F.lit(chosen.seed)), "image_id")
    queries = [row["image_id"] for row in tests.select("image_id").limit(chosen.max_queries).collect()]
    if len(queries) < needed:
        return Comparison(missing=f"{few}, and so are {len(queries)} test pictures")
    asked: Judgements = {query: {} for query in queries}
    measured = checkpointed(measured_images(images, asked, seed=chosen.seed, limit=chosen.max_catalogue))
    featured = stored_features(context, backbone.version, measured)
    known, features = as_arrays(featured, "image_id", width=backbone.dimension)
    queries = sorted({*queries} & {*known})
    neighbours = frozen_neighbours(known, features, queries)
    if len(neighbours) < needed:
        return Comparison(missing=f"{few}, and so are {len(neighbours)} test pictures with neighbours")
    encoders = _encoders(context, new, used)
    ids, vectors = encode_each(pictures_of(lake, measured), encoders)
    image = settings.image
    # Stored pictures were accepted once, and their parts may be smaller than a picture that lands.
    limits = Limits(image.max_bytes, image.max_pixels, 1, image.size)
    asking = pictures_of(lake, measured.where(F.col("image_id").isin(queries)))
    shown, views = encode_each(views_of(asking, limits, seed=chosen.seed), encoders)
    pair = Pair(new.version, used.version, chosen.seed)
    own = own_view_evidence(pair, ids, vectors, shown, views)
    return Comparison([own, frozen_neighbour_evidence(pair, ids, vectors, neighbours)])


def _encoders(context: StepContext, *cards: Card) -> dict[str, Encode]:
    return {card.version: _encoder(context, card.version) for card in cards}


def _encoder(context: StepContext, version: str) -> Encode:
    embedder = load_model(context.settings.models.uri, version).embedder(
        batch_size=context.settings.embedding.batch_size
    )
    # A picture that the network cannot embed gets a zero vector, which no query finds: that counts against the model.
    return lambda jpegs: embedder.try_embed(jpegs).vectors
