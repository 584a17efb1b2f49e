"""The teacher of a distillation: a registered model whose similarities between pictures a student learns."""

from vsearch_lib.config import Settings
from vsearch_lib.errors import UsageError
from vsearch_lib.models.registry import Card, cards


def teacher_of(settings: Settings) -> Card | None:
    """Return the card of the model that `training.teacher` names, None if there is no teacher.

    Raises:
        UsageError: the registry has no such model, or nothing is to be learnt from it.
    """
    version, models_uri = settings.training.teacher, settings.models.uri
    if version is None:
        return None
    if not settings.training.keep_frozen and not settings.training.neighbours:
        raise UsageError(
            "training.teacher has no effect: set training.keep_frozen, the weight of its similarities, or "
            "training.neighbours, which are then its neighbours"
        )
    known = {card.version: card for card in cards(models_uri)}
    if version not in known:
        others = ", ".join(known) or "no model at all"
        raise UsageError(f"training.teacher = {version}: {models_uri} has no such model; it has {others}")
    return known[version]
