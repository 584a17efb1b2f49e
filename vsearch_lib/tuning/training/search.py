"""Trains with each of several settings, on the same snapshot and the same validation, and registers no model."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch

import vsearch_lib.training
from vsearch_lib.config.settings import Training
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import features_model
from vsearch_lib.errors import InvalidArgument, UsageError, VsearchError
from vsearch_lib.examples.usable import newest_snapshot, snapshots_by_age
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.training.depth import choose_depth
from vsearch_lib.training.prepared import Prepared, prepared
from vsearch_lib.training.step import count_pairs
from vsearch_lib.training.trained import train_once, validation_recalls
from vsearch_lib.training.validation import MIN_QUERIES
from vsearch_lib.tuning.training.plan import Plan
from vsearch_lib.tuning.training.results import Results, Trial
from vsearch_lib.tuning.training.space import Space, overrides_of
from vsearch_lib.tuning.training.study import Outcome, Study

Begin = Callable[[str, int, int], None]  # called with what begins, its number, and the number of all


def search(context: StepContext, planned: Plan, *, snapshot: str | None, begin: Begin) -> Results:
    """Run the trials of a plan, but not those that an earlier run of the same search has done.

    Args:
        context: of the command.
        planned: the trials.
        snapshot: the name of the snapshot of training examples; None for the newest.
        begin: is called as each trial begins.

    Raises:
        UsageError: there is no such snapshot, or the settings leave nothing to train.
        VsearchError: no night has made a model yet, or too few validation images are judged.
    """
    settings = context.settings
    recipe = recipe_of(settings)
    if snapshot is None:
        snapshot = newest_snapshot(context.lake)
    elif snapshot not in (known := snapshots_by_age(context.lake)):
        raise InvalidArgument("snapshot", f"{snapshot}: there is no such snapshot, only {', '.join(known) or 'none'}")
    depth, reason = choose_depth(
        recipe.training,
        pairs=count_pairs(context.lake, snapshot),
        min_pairs=settings.training.min_pairs,
        has_gpu=torch.cuda.is_available(),
    )
    if depth == "none" or (depth == "head" and recipe.weights == "none"):
        raise UsageError(f"nothing is trained, so there is nothing to try ({reason}): set training.depth")
    backbone = features_model(settings.models.uri, recipe)
    if backbone is None:
        raise VsearchError(f"{settings.models.uri} has no {recipe.backbone} of this configuration: run train_encoder")
    encoder = initial_encoder(recipe, settings.model.weights, seed=settings.training.seed)
    with prepared(context, encoder, recipe, backbone, snapshot, depth) as run:
        return try_all(run, planned, begin=begin)


def try_all(run: Prepared, planned: Plan, *, begin: Begin) -> Results:
    """Train with each of the planned settings, but not again with those whose outcome is stored.

    A training that comes to nothing is an outcome too.

    Args:
        run: was prepared with the configured settings.
        planned: the trials.
        begin: is called as each trial begins.

    Raises:
        VsearchError: too few validation images are judged, or the configured settings come to nothing.
    """
    if not run.is_judged:
        raise VsearchError(
            f"annotators found pictures alike for fewer than {MIN_QUERIES} validation images, too few to compare "
            "settings: score more pairs (vsearch label next), or raise examples.validation_share"
        )
    settings, say = run.context.settings, run.context.say
    file = Path(settings.cache) / "tuning" / f"{_digest(run, planned.space)}.jsonl"
    study, points = Study(file, planned.space, say), planned.points
    if done := sum(point in study.outcomes for point, _ in points):
        say(f"{done} of {len(points)} trials were done by an earlier run")
    for number, (point, training) in enumerate(points, start=1):
        if point in study.outcomes:
            continue
        name = " ".join(overrides_of(point)) or "the configured settings"
        begin(name, number, len(points))
        outcome = _outcome(run, training)
        if outcome.failure and not point:
            raise VsearchError(f"{outcome.failure} (with the configured settings)")
        study.add(point, outcome)
        say(f"trial {number} of {len(points)}, {name}: {_in_words(outcome)}")
    trials = tuple(Trial(point, study.outcomes[point]) for point, _ in points)
    return Results(run.name, run.depth, tuple(planned.space), settings, trials)


def _outcome(run: Prepared, training: Training) -> Outcome:
    began = time.monotonic()
    try:
        trained = train_once(run, training)
    except VsearchError as error:
        return Outcome(None, (), 0, 0, round(time.monotonic() - began, 1), failure=str(error))
    curve = trained.curve
    return Outcome(
        recall_at_start=curve.recall_at_start,
        recalls=tuple(validation_recalls(run, trained.encoder)),
        best_epoch=curve.best,
        epochs=len(curve.epochs),
        seconds=round(time.monotonic() - began, 1),
    )


def _in_words(outcome: Outcome) -> str:
    if outcome.best_recall is None:
        return f"failed after {outcome.seconds:.1f} s: {outcome.failure}"
    return f"recall {outcome.best_recall:.3f} after epoch {outcome.best_epoch}, {outcome.seconds:.1f} s"


def _digest(run: Prepared, space: Space) -> str:
    """Return a hash of all that the outcomes depend on: settings, examples, validation, what the weights begin with."""
    content = hashlib.sha256(run.validation.relevant.tobytes())
    for file in sorted(Path(vsearch_lib.training.__path__[0]).rglob("*.py")):
        content.update(file.read_bytes())
    fields = [
        run.name,
        run.depth,
        run.context.settings.training.model_dump(mode="json"),
        {name: asdict(tried) for name, tried in space.items()},
        dict(run.backbone.files),
        hashlib.sha256(run.material.start).hexdigest(),
        run.validation.catalogue,
        torch.__version__,
        content.hexdigest(),
    ]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]
