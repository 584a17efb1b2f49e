"""Which images are searched and who may see them: one rule, for SQL over `images` and for the rows of an index."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vsearch_lib.artefact.tombstones import Mask

_COMPARE = {"=": pc.equal, "!=": pc.not_equal}


@dataclass(frozen=True)
class Condition:
    """A value that a column must have, or must not have; null meets no condition."""

    column: str
    operator: Literal["=", "!="]
    value: str

    @property
    def sql(self) -> str:
        """The condition in SQL."""
        return f"{self.column} {self.operator} '{self.value}'"

    def mask(self, rows: pa.Table) -> Mask:
        """Return which of `rows` meet the condition."""
        return np.asarray(pc.fill_null(_COMPARE[self.operator](rows[self.column], self.value), False))

    def holds(self, value: str | None) -> bool:
        """Return whether the column's value in one row meets the condition."""
        return value is not None and (value == self.value) == (self.operator == "=")


NOT_BLOCKED = Condition("moderation", "!=", "blocked")
FOR_EVERYBODY = Condition("visibility", "=", "public")

# SQL over `images`. An index contains only living images, so its rows do not have `deleted_at`.
NOT_DELETED = "deleted_at IS NULL"
LIVING = f"{NOT_DELETED} AND {NOT_BLOCKED.sql}"
PUBLIC = f"{LIVING} AND {FOR_EVERYBODY.sql}"


def visible_sql(viewer: str | None) -> str:
    """Return SQL over `images` for what the viewer may see, by the same rule as `visible`.

    `viewer` is the id as a literal, with the quotes and escapes of the engine that runs the SQL; None is an anonymous
    viewer.
    """
    return PUBLIC if viewer is None else f"{LIVING} AND ({FOR_EVERYBODY.sql} OR owner_id = {viewer})"


def visible(rows: pa.Table, viewer_id: str | None) -> Mask:
    """Return which of an index's `rows` (columns of ROWS) the viewer may see; None is an anonymous viewer.

    Only its owner may see a private image, and nobody may see a blocked one.
    """
    seen = FOR_EVERYBODY.mask(rows)
    if viewer_id is not None:
        seen = seen | Condition("owner_id", "=", viewer_id).mask(rows)
    return seen & NOT_BLOCKED.mask(rows)


class Shown(Protocol):
    """The facts of an image that the rule needs."""

    @property
    def owner_id(self) -> str | None: ...
    @property
    def visibility(self) -> str | None: ...
    @property
    def moderation(self) -> str | None: ...


def may_see(image: Shown, viewer_id: str | None) -> bool:
    """Return whether the viewer may see one living image, by the same rule as `visible`."""
    seen = FOR_EVERYBODY.holds(image.visibility) or (viewer_id is not None and image.owner_id == viewer_id)
    return seen and NOT_BLOCKED.holds(image.moderation)
