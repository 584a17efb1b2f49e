"""The rules that the configuration names, ready to be applied in its order."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import TypeAlias

from vsearch_lib.config.settings import RULES, Serving
from vsearch_lib.errors import UsageError, VsearchError
from vsearch_lib.serving.candidates import Candidate, Wish
from vsearch_lib.serving.rules.diversity import diversity
from vsearch_lib.serving.rules.near_duplicates import near_duplicates
from vsearch_lib.serving.rules.newest import newest
from vsearch_lib.serving.rules.own_copies import own_copies
from vsearch_lib.serving.rules.owner_limit import owner_limit
from vsearch_lib.serving.rules.similar_enough import similar_enough
from vsearch_lib.serving.rules.visible import visible

Rule: TypeAlias = Callable[[Sequence[Candidate], Wish], Sequence[Candidate]]


def rules_of(serving: Serving) -> Mapping[str, Rule]:
    """Return the configured rules by name, in order.

    Raises:
        UsageError: a rule of the deployer's own cannot be imported, or is no function.
    """
    bits, cosine = serving.near_duplicate_bits, serving.near_duplicate_cosine
    ours: dict[str, Rule] = {
        "visible": visible,
        "own_copies": partial(own_copies, bits=bits, cosine=cosine),
        "near_duplicates": partial(near_duplicates, bits=bits, cosine=cosine),
        "similar_enough": similar_enough,
        "owner_limit": partial(owner_limit, limit=serving.max_per_owner),
        "diversity": partial(diversity, weight=serving.diversity),
        "newest": newest,
    }
    return {name: ours[name] if name in RULES else _imported(name) for name in serving.rules}


def _imported(name: str) -> Rule:
    module, _, function = name.partition(":")
    try:
        rule = getattr(import_module(module), function)
    except Exception as error:  # whatever the module raises
        cause = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UsageError(f"serving.rules: {name} cannot be imported ({cause}); install its package here") from None
    if not callable(rule):
        raise UsageError(f"serving.rules: {name} is no function; name one that takes candidates and a wish")
    checked: Rule = partial(_only_from, rule, name)
    return checked


def _only_from(rule: Rule, name: str, candidates: Sequence[Candidate], wish: Wish) -> Sequence[Candidate]:
    """Apply a rule of the deployer's own, which may drop, sort and mark candidates, but not add any."""
    remaining = list(rule(list(candidates), wish))
    given, ids = {c.facts.image_id for c in candidates}, [c.facts.image_id for c in remaining]
    if len(set(ids)) < len(ids) or not given.issuperset(ids):
        raise VsearchError(f"serving.rules: {name} returned a candidate twice or one that it was not given; correct it")
    return remaining
