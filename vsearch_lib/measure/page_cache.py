"""Figures and the page that they are drawn on: made once of the same tables, and found again by later runs."""

from collections.abc import Sequence
from dataclasses import asdict

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.lake.changes import position
from vsearch_lib.lake.past_results import input_state, load_result, save_result
from vsearch_lib.storage import open_store


class PageCache:
    """What `step` draws of `tables` as they stand now, and of `others`."""

    def __init__(self, context: StepContext, step: str, tables: Sequence[str], **others: object) -> None:
        at = {table: position(context.lake, table) for table in tables}
        self._context, self._step = context, step
        self._state = input_state(at, reports=context.settings.reports.uri, **others)

    def load(self) -> list[Figure] | None:
        """Say where the page is that was drawn from the same inputs, and return its figures; None if there is none."""
        made = load_result(self._context.lake, self._step, self._state)
        if made is None or open_store(self._context.settings.reports.uri).read_versioned(made["page"]) is None:
            return None
        self._say_where(made["page"])
        return [Figure(**fields) for fields in made["figures"]]

    def save(self, figures: Sequence[Figure], name: str, page: str) -> None:
        """Write the page, and note of what it was drawn."""
        open_store(self._context.settings.reports.uri).write_new(name, page.encode())
        made = {"page": name, "figures": [asdict(figure) for figure in figures]}
        save_result(self._context.lake, self._step, self._state, made)
        self._say_where(name)

    def _say_where(self, name: str) -> None:
        self._context.say(f"{self._step}: {self._context.settings.reports.uri}/{name}")
