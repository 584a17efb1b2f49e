"""Compare the newest model with the one in use on judged queries, and promote it where it ranks no worse."""

from datetime import UTC, datetime

from vsearch_lib.context import StepContext
from vsearch_lib.eligibility import public_images
from vsearch_lib.errors import GateRefused
from vsearch_lib.figures import Figure
from vsearch_lib.lake.metrics import record
from vsearch_lib.measure.offline.judged import judged_queries, measured_images, pictures_of
from vsearch_lib.measure.offline.ranking import DEPTH, exact_rankings, ranking_figures
from vsearch_lib.measure.offline.side_by_side import Encode, encode_each
from vsearch_lib.models.load import load_model
from vsearch_lib.models.promotion import current_model, promote
from vsearch_lib.models.registry import Card, newest


def compare_models(context: StepContext) -> list[Figure]:
    """Promote the newest model of the configured recipe.

    Raises:
        GateRefused: it ranks judged queries worse by more than `gate.max_ndcg_loss`, or nobody judged any.
    """
    models_uri = context.settings.models.uri
    used = current_model(context.settings)
    new = newest(models_uri, used.recipe)
    if new is None or new.version == used.version:
        context.say(f"compare_models: {used.version} is the model in use and the newest; nothing to compare")
        return []
    figures = _compare(context, new, used)
    by_hand = f"{used.version} stays in use; to have the new one all the same: vsearch models promote {new.version}"
    if not figures:
        raise GateRefused(f"{new.version}: no judged query of the test split to compare it on; {by_hand}")
    value = {figure.slice: figure.value for figure in figures if figure.metric == "ndcg_at_10"}
    ours, theirs, limit = value[new.version], value[used.version], context.settings.gate.max_ndcg_loss
    said = f"nDCG@10 {ours:.3f}, {theirs:.3f} with {used.version}, on {figures[0].value:.0f} judged queries"
    if theirs - ours > limit:
        record(context.lake, figures)  # a job that is refused returns none
        raise GateRefused(f"{new.version}: {said}: worse by more than gate.max_ndcg_loss = {limit:g}; {by_hand}")
    promote(models_uri, new, run_id=context.run_id, now=datetime.now(UTC))
    context.made["promoted"] = new.version
    context.say(f"compare_models: {new.version} is promoted: {said}")
    return figures


def _compare(context: StepContext, new: Card, used: Card) -> list[Figure]:
    """Return how many queries were compared, and each model's ranking figures; nothing where no query is judged.

    Both rank the same pictures by exact search, from the stored pixels: neither needs to have embedded anything yet.
    """
    settings, lake = context.settings, context.lake
    images = public_images(lake)
    seed = settings.evaluation.seed
    judged = judged_queries(
        lake.read("judgements"),
        images,
        test_share=settings.examples.test_share,
        split_seed=settings.examples.split_seed,
        seed=seed,
        most=settings.evaluation.max_queries,
    )
    if not judged:
        return []
    measured = measured_images(images, judged, seed=seed, most=settings.evaluation.max_catalogue)
    ids, vectors = encode_each(
        pictures_of(lake, measured), {card.version: _encoder(context, card.version) for card in (new, used)}
    )
    known = set(ids)
    queries = [query for query in judged if query in known]
    if not queries:
        return []
    figures = [Figure("compared_queries", len(queries))]
    for version, encoded in vectors.items():
        found = ranking_figures(judged, exact_rankings(queries, ids, encoded, depth=DEPTH))
        figures += [Figure(metric, value, version) for metric, value in found.items()]
    return figures


def _encoder(context: StepContext, version: str) -> Encode:
    embedder = load_model(context.settings.models.uri, version).embedder(
        batch_size=context.settings.embedding.batch_size
    )
    # A picture that the network has no vector for is zero, and found by nobody: that counts against the model.
    return lambda jpegs: embedder.try_embed(jpegs).vectors
