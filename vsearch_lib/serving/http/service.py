"""What the routes need of the search service."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from vsearch_lib.serving.ask import Answers, Ask
from vsearch_lib.serving.candidates import Facts
from vsearch_lib.serving.look import Look


class Service(Protocol):
    """An index that is searched, and that changes to another version while it is searched."""

    @property
    def version(self) -> str:
        """The version that is searched now."""

    def search(self, ask: Ask) -> Answers:
        """Return the answers to a query."""

    def refresh(self) -> bool:
        """Open the published version if it is another one; return whether it was."""

    def facts(self, image_ids: Sequence[str], viewer_id: str | None) -> Mapping[str, Facts]:
        """Return the facts of those of the images that the viewer may see."""

    def random_ids(self, k: int) -> list[str]:
        """Return the ids of random public images."""

    def look(self, ask: Ask, answer_id: str) -> Look:
        """Return what the model looks at in the picture of a query, and in an answer."""
