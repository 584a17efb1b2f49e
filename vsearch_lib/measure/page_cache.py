"""Figures and their page: made once from the same state of the tables, and found again by later runs."""

from collections.abc import Sequence
from dataclasses import asdict

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.lake.changes import position
from vsearch_lib.lake.past_results import input_state, load_result, save_result
from vsearch_lib.storage import open_store


class PageCache:
    """The result of `step`, which depends on the current state of `tables` and on `others`."""

    def __init__(self, context: StepContext, step: str, tables: Sequence[str], **others: object) -> None:
        positions = {table: position(context.lake, table) for table in tables}
        self._context, self._step = context, step
        self._state = input_state(positions, reports=context.settings.reports.uri, **others)

    def load(self) -> list[Figure] | None:
        """Return the figures made from the same inputs, and print where their page is; None if there are none."""
        result = load_result(self._context.lake, self._step, self._state)
        if result is None or open_store(self._context.settings.reports.uri).read_versioned(result["page"]) is None:
            return None
        self._say_where(result["page"])
        return [Figure(**fields) for fields in result["figures"]]

    def save(self, figures: Sequence[Figure], name: str, page: str) -> None:
        """Write the page, and save the figures with the state that they were made from."""
        open_store(self._context.settings.reports.uri).write_new(name, page.encode())
        result = {"page": name, "figures": [asdict(figure) for figure in figures]}
        save_result(self._context.lake, self._step, self._state, result)
        self._say_where(name)

    def _say_where(self, name: str) -> None:
        self._context.say(f"{self._step}: {self._context.settings.reports.uri}/{name}")
