"""Compare the newest model with the one in use on the same queries; promote it if it surely ranks no worse."""

from datetime import UTC, datetime

from vsearch_lib.context import StepContext
from vsearch_lib.errors import GateRefused
from vsearch_lib.figures import Figure
from vsearch_lib.lake.changes import position
from vsearch_lib.lake.metrics import record
from vsearch_lib.lake.past_results import input_state, load_result, save_result
from vsearch_lib.measure.comparison.by_slice import gains_by_slice
from vsearch_lib.measure.comparison.compared import Comparison, compare
from vsearch_lib.measure.comparison.page import comparison_page, values_file
from vsearch_lib.measure.comparison.verdict import verdict
from vsearch_lib.models.promotion import current_model, known_at_promotion, promote
from vsearch_lib.models.registry import Card, has_same_network, newest, recipe_of
from vsearch_lib.run_ids import version_of
from vsearch_lib.storage import open_store


def compare_models(context: StepContext, *, strict: bool = False) -> list[Figure]:
    """Promote the newest model of the configured recipe if it ranks no worse than the model in use, of any recipe.

    `compared.compare` chooses the queries, and `verdict.verdict` decides. A model that is not promoted stays a
    candidate, and runs keep the model in use; so does one whose network is the one in use, which needs no comparison.

    A candidate is compared again once there are new judgements. A `strict` run compares in any case, and fails if it
    made the model itself: a model of an earlier run was refused then.

    Raises:
        GateRefused: `strict`, and the model that this run made is refused.
    """
    models_uri = context.settings.models.uri
    used = current_model(context.settings)
    new = newest(models_uri, recipe_of(context.settings))
    if new is None or new.version == used.version:
        context.say(f"compare_models: {used.version} is the model in use and the newest; nothing to compare")
        return []
    if has_same_network(new, used):
        context.say(f"compare_models: {new.version} is the same network as {used.version}, which stays in use")
        return []
    by_hand = f"{used.version} stays in use; to promote the new one anyway: vsearch models promote {new.version}"
    if known_at_promotion(context.settings, new):
        context.say(f"compare_models: {new.version} was there when {used.version} was promoted; {by_hand}")
        return []
    state = _state(context, new, used)
    if not strict and (earlier := load_result(context.lake, "compare_models", state)):
        context.say(earlier["line"])
        return []
    comparison = compare(context, new, used)
    figures, page = _report(context, comparison)
    outcome = verdict(comparison, used.version, context.settings.gate)
    if outcome.promotes:
        promote(models_uri, new, run_id=context.run_id, now=datetime.now(UTC))
        context.made["promoted"] = new.version
        context.say(f"compare_models: {new.version} is promoted: {outcome.reason}{page}")
        return figures
    if strict and new.run_id == context.run_id:
        record(context.lake, figures)  # a refused job returns no figures
        raise GateRefused(f"{new.version}: {outcome.reason}; {by_hand}{page}")
    line = f"compare_models: {new.version}: {outcome.reason}; {by_hand}{page}"
    if comparison.evidence:  # otherwise the next night looks whether there are enough queries
        save_result(context.lake, "compare_models", state, {"line": line})
    context.say(line)
    return figures


def _report(context: StepContext, comparison: Comparison) -> tuple[list[Figure], str]:
    """Write the page and the figures of each query; return all figures, and where the page is as the end of a line."""
    if not comparison.evidence:
        return [], ""
    first, uri = comparison.evidence[0], context.settings.reports.uri
    by_slice = gains_by_slice(context.lake, context.settings, first)
    name = f"comparison-{first.pair.new}-over-{first.pair.used}-{version_of(context.run_id)}"
    reports = open_store(uri)
    reports.write_new(f"{name}-queries.parquet", values_file(comparison.evidence))
    reports.write_new(f"{name}.html", comparison_page(context.lake, comparison.evidence, by_slice).encode())
    return [*comparison.figures, *by_slice], f"; {uri}/{name}.html"


def _state(context: StepContext, new: Card, used: Card) -> str:
    settings = context.settings
    return input_state(
        {"judgements": position(context.lake, "judgements")},
        models=(new.version, used.version),
        settings=[section.model_dump_json() for section in (settings.gate, settings.evaluation, settings.examples)],
    )
