"""The ranking service: candidates → answers, by the rules of the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vsearch_lib.config.settings import Serving
from vsearch_lib.serving.ask import Answer
from vsearch_lib.serving.candidates import Candidate, Wish
from vsearch_lib.serving.rules.chain import rules_of

_WITHOUT_VECTORS = {"visible", "own_copies", "similar_enough", "owner_limit", "newest"}


@dataclass(frozen=True)
class Ranked:
    """At most k answers, and rule → the ids of the images that it dropped."""

    answers: tuple[Answer, ...]
    dropped: Mapping[str, tuple[str, ...]]


class Ranking(Protocol):
    """Chooses and sorts answers."""

    @property
    def needs_vectors(self) -> bool:
        """Whether candidates must have their vectors."""

    def rank(self, candidates: Sequence[Candidate], wish: Wish) -> Ranked:
        """Return the answers among `candidates`, which are in order of their cosines, the highest first."""


class RuleRanking:
    """Applies the configured rules, one after the other.

    Raises:
        UsageError: a rule of the deployer's own cannot be imported.
    """

    def __init__(self, serving: Serving) -> None:
        self._rules = rules_of(serving)

    @property
    def needs_vectors(self) -> bool:
        """Whether candidates must have their vectors; rules of the deployer's own get them too."""
        return not _WITHOUT_VECTORS.issuperset(self._rules)

    def rank(self, candidates: Sequence[Candidate], wish: Wish) -> Ranked:
        """Return the answers among `candidates`.

        Raises:
            VsearchError: a rule of the deployer's own returned what it was not given.
        """
        remaining = list(candidates)
        dropped = {}
        for name, rule in self._rules.items():
            before = [candidate.facts.image_id for candidate in remaining]
            remaining = list(rule(remaining, wish))
            kept = {candidate.facts.image_id for candidate in remaining}
            dropped[name] = tuple(image_id for image_id in before if image_id not in kept)
        best = remaining[: wish.k]
        return Ranked(tuple(candidate.at_rank(rank) for rank, candidate in enumerate(best, 1)), dropped)
