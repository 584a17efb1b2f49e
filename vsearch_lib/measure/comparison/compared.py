"""Two models on the same judged queries: both rank the same pictures by exact search."""

from vsearch_lib.context import StepContext
from vsearch_lib.examples.split import images_with_split
from vsearch_lib.figures import Figure
from vsearch_lib.measure.offline.judged import judged_queries, measured_images, pictures_of
from vsearch_lib.measure.offline.paired import paired_difference
from vsearch_lib.measure.offline.ranking import DEPTH, exact_rankings, ndcg_of_each_query, ranking_figures
from vsearch_lib.measure.offline.side_by_side import Encode, encode_each
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registry import Card

GAIN = "ndcg_at_10_gain"


def compare(context: StepContext, new: Card, used: Card) -> list[Figure]:
    """Return the number of compared queries and each model's ranking figures; nothing if no query is judged.

    Both models rank the same pictures by exact search, and embed them here from the stored pixels.
    """
    settings, lake = context.settings, context.lake
    images = images_with_split(lake, settings)
    seed = settings.evaluation.seed
    judged = judged_queries(
        lake.read("judgements"),
        images,
        seed=seed,
        limit=settings.evaluation.max_queries,
    )
    if not judged:
        return []
    measured = measured_images(images, judged, seed=seed, limit=settings.evaluation.max_catalogue)
    ids, vectors = encode_each(
        pictures_of(lake, measured), {card.version: _encoder(context, card.version) for card in (new, used)}
    )
    known = set(ids)
    queries = [query for query in judged if query in known]
    if not queries:
        return []
    figures, of_each = [Figure("compared_queries", len(queries))], {}
    for version, encoded in vectors.items():
        rankings = exact_rankings(queries, ids, encoded, depth=DEPTH)
        found = ranking_figures(judged, rankings)
        figures += [Figure(metric, value, subject=f"model {version}", n=len(judged)) for metric, value in found.items()]
        of_each[version] = ndcg_of_each_query(judged, rankings)
    ours, theirs = ([of_each[card.version][query] for query in judged] for card in (new, used))
    gain = paired_difference(ours, theirs, seed=seed)
    subject = f"model {new.version} over {used.version}"
    return [*figures, Figure(GAIN, gain.mean, subject=subject, n=gain.n, low=gain.low, high=gain.high)]


def _encoder(context: StepContext, version: str) -> Encode:
    embedder = load_model(context.settings.models.uri, version).embedder(
        batch_size=context.settings.embedding.batch_size
    )
    # A picture that the network cannot embed gets a zero vector, which no query finds: that counts against the model.
    return lambda jpegs: embedder.try_embed(jpegs).vectors
