"""An experiment: a canary version answers the queries of a share of the users, and CURRENT those of the others."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from vsearch_lib.config.settings import Canary
from vsearch_lib.errors import UnknownImage
from vsearch_lib.serving.ask import Answers, Ask
from vsearch_lib.serving.http.service import Service

_T = TypeVar("_T")


@dataclass(frozen=True)
class Arm:
    """Who answers a user, and the variant of the experiment that this is; None if the user takes part in none."""

    service: Service
    variant: str | None


def is_drawn(user: str, *, experiment: str, share: float) -> bool:
    """Whether a user is among the `share` of users that the experiment's name draws.

    It is always the same for a user. The hash of name and user makes the groups of two experiments independent (Kohavi
    et al., "Controlled experiments on the web: survey and practical guide", 2009, section 4.1).
    """
    drawn = hashlib.sha256(f"{experiment}\n{user}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(drawn[:8]) / 2**64 < share


class Routing:
    """Chooses who answers a query. Threads may share it; only one of them may call `open`.

    While the canary is not open, or CURRENT is the canary, CURRENT answers everybody and nobody takes part. So
    an interruption ends both variants for the same time, and the groups stay comparable.
    """

    def __init__(self, control: Service, chosen: Canary, open_canary: Callable[[], Service] | None) -> None:
        """Make it, with the canary not open yet; without `open_canary` there is no experiment."""
        self.control = control
        self._chosen = chosen
        self._open_canary = open_canary
        self._canary: Service | None = None

    @property
    def is_open(self) -> bool:
        """Whether the canary is open."""
        return self._canary is not None

    def open(self) -> bool:
        """Open the canary if it is not open yet; return whether it was opened.

        Raises:
            ArtefactError: it is missing or does not verify.
        """
        if self._open_canary is None or self._canary is not None:
            return False
        self._canary = self._open_canary()
        return True

    def arm_of(self, user: str | None) -> Arm:
        """Return who answers a user; None is an unknown one, who takes part in no experiment."""
        canary = self._canary
        if user is None or canary is None or canary.version == self.control.version:
            return Arm(self.control, None)
        if is_drawn(user, experiment=self._chosen.name, share=self._chosen.share):
            return Arm(canary, self._chosen.name)
        return Arm(self.control, self._chosen.control)

    def answers(
        self, ask: Ask, user: str | None, search: Callable[[Service], tuple[Answers, _T]]
    ) -> tuple[Answers, _T, str | None]:
        """Return the answers of the user's arm, what else `search` returns, and the variant.

        A canary does not know what was hidden or deleted since it was built. So it answers only with images that
        CURRENT shows to the asker too, and a query that names another image is answered by CURRENT.
        """
        arm, viewer = self.arm_of(user), ask.wanted.viewer_id
        if arm.service is self.control:
            return *search(self.control), arm.variant
        named = {image_id for image_id in (ask.image_id, *ask.like, *ask.unlike) if image_id is not None}
        if named.issubset(self.control.facts(sorted(named), viewer)):
            try:
                found, more = search(arm.service)
            except UnknownImage:
                pass  # the image is newer than the canary
            else:
                shown = self.control.facts([answer.image_id for answer in found.answers], viewer)
                kept = [answer for answer in found.answers if answer.image_id in shown]
                ranked = tuple(replace(answer, rank=rank) for rank, answer in enumerate(kept, 1))
                return replace(found, answers=ranked), more, arm.variant
        return *search(self.control), arm.variant
