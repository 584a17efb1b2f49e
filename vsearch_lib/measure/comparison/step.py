"""Compare the newest model with the one in use on the same judged queries; promote it if it surely ranks no worse."""

from datetime import UTC, datetime

from vsearch_lib.config.settings import Gate
from vsearch_lib.context import StepContext
from vsearch_lib.errors import GateRefused
from vsearch_lib.figures import Figure
from vsearch_lib.lake.changes import position
from vsearch_lib.lake.metrics import record
from vsearch_lib.lake.past_results import input_state, load_result, save_result
from vsearch_lib.measure.comparison.compared import GAIN, compare
from vsearch_lib.models.promotion import current_model, known_at_promotion, promote
from vsearch_lib.models.registry import Card, newest, recipe_of


def compare_models(context: StepContext, *, strict: bool = False) -> list[Figure]:
    """Promote the newest model of the configured recipe if it ranks no worse than the model in use, of any recipe.

    It ranks no worse if the interval of the difference in nDCG@10, query by query, does not reach below
    -`gate.max_ndcg_loss`. Otherwise, or if too few queries are judged, it stays a candidate, and runs keep the model in
    use. The same two models are not compared again on the same judgements, unless `strict`.

    Raises:
        GateRefused: `strict`, and the new model is not promoted.
    """
    models_uri = context.settings.models.uri
    used = current_model(context.settings)
    new = newest(models_uri, recipe_of(context.settings))
    if new is None or new.version == used.version:
        context.say(f"compare_models: {used.version} is the model in use and the newest; nothing to compare")
        return []
    by_hand = f"{used.version} stays in use; to promote the new one anyway: vsearch models promote {new.version}"
    if known_at_promotion(context.settings, new):
        context.say(f"compare_models: {new.version} was there when {used.version} was promoted; {by_hand}")
        return []
    state = _state(context, new, used)
    if not strict and (earlier := load_result(context.lake, "compare_models", state)):
        context.say(earlier["line"])
        return []
    figures = compare(context, new, used)
    outcome, is_refused = _judge(figures, new, used, context.settings.gate)
    if not is_refused:
        promote(models_uri, new, run_id=context.run_id, now=datetime.now(UTC))
        context.made["promoted"] = new.version
        context.say(f"compare_models: {new.version} is promoted: {outcome}")
        return figures
    if strict:
        record(context.lake, figures)  # a refused job returns no figures
        raise GateRefused(f"{new.version}: {outcome}; {by_hand}")
    line = f"compare_models: {new.version}: {outcome}; {by_hand}"
    if figures:  # without a judged query there was no work that a note could save
        save_result(context.lake, "compare_models", state, {"line": line})
    context.say(line)
    return figures


def _state(context: StepContext, new: Card, used: Card) -> str:
    settings = context.settings
    return input_state(
        {"judgements": position(context.lake, "judgements")},
        models=(new.version, used.version),
        settings=[section.model_dump_json() for section in (settings.gate, settings.evaluation, settings.examples)],
    )


def _judge(figures: list[Figure], new: Card, used: Card, gate: Gate) -> tuple[str, bool]:
    """Return the outcome in words, and whether it refuses the new model."""
    if not figures:
        return "no judged query of the test split to compare it on", True
    (gain,) = (figure for figure in figures if figure.metric == GAIN)
    value = {figure.subject: figure.value for figure in figures if figure.metric == "ndcg_at_10"}
    ours, theirs = (value[f"model {card.version}"] for card in (new, used))
    assert gain.low is not None
    assert gain.high is not None
    outcome = (
        f"nDCG@10 {ours:.3f}, {theirs:.3f} with {used.version}, on {gain.n} judged queries: a difference of "
        f"{gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
    )
    if gain.n is None or gain.n < gate.min_compared_queries:
        return f"{outcome}; at least gate.min_compared_queries = {gate.min_compared_queries} are needed", True
    if gain.high < -gate.max_ndcg_loss:
        return f"{outcome}: worse by more than gate.max_ndcg_loss = {gate.max_ndcg_loss:g}", True
    if gain.low < -gate.max_ndcg_loss:
        return (
            f"{outcome}: it may be worse by more than gate.max_ndcg_loss = {gate.max_ndcg_loss:g}; more judged queries "
            "would tell (vsearch label next)",
            True,
        )
    return outcome, False
