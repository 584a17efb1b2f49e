"""Column names in their many spellings → our fields. The row or file is refused if a field is not certain."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

# Fields that decide who may see a picture: a column with a similar name must not be ignored.
_GUARDED = ("visibility", "moderation", "deleted")
_SIMILAR = 0.85  # difflib's ratio: vsibility and modration are similar to a field, tag and title are not
_VISIBILITY_WORDS = re.compile(r"visib|privat|privacy|moderat|delet|hidden|audience|(^|_)(public|shared|access)(_|$)")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class UnclearColumns(Exception):
    """Raised when it is not certain which column is which field; the message says why."""


@dataclass(frozen=True)
class Columns:
    """The field of each column, by position; None for a column that is not one of our fields."""

    fields: tuple[str | None, ...]
    renamed: bool  # whether a column name is spelled differently from its field

    @classmethod
    def of(cls, names: Sequence[str], fields: Sequence[str]) -> "Columns":
        """Return the fields of columns called `names`; case, spaces and dashes do not matter.

        Raises:
            UnclearColumns: two columns have the same field, or an unknown name seems to state who may see a picture.
        """
        by_normal_name = {_normal(field): field for field in fields}
        matched = tuple(by_normal_name.get(_normal(name)) for name in names)
        for number, (name, field) in enumerate(zip(names, matched, strict=True)):
            if field is not None and field in matched[:number]:
                raise UnclearColumns(f"{field} is there twice")
            guarded = [guard for guard in _GUARDED if guard in fields]
            if field is None and guarded and _is_about_visibility(_normal(name), guarded):
                raise UnclearColumns(f"{name[:40]} is not a field, and may say who sees a picture; is it {guarded[0]}?")
        return cls(matched, any(field not in (None, name) for name, field in zip(names, matched, strict=True)))


def refuse_nested_visibility(names: Sequence[str], fields: Sequence[str]) -> None:
    """Raise UnclearColumns if one of `names`, which are nested in a field, seems to state who may see a picture."""
    guarded = [guard for guard in _GUARDED if guard in fields]
    if guarded and (nested := next((name for name in names if _is_about_visibility(_normal(name), guarded)), None)):
        raise UnclearColumns(f"{nested[:40]} is nested in another field; it is not read there")


def _is_about_visibility(name: str, guarded: Sequence[str]) -> bool:
    return bool(_VISIBILITY_WORDS.search(name) or difflib.get_close_matches(name, guarded, 1, _SIMILAR))


def _normal(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", _CAPITAL.sub("_", name).strip("\ufeff \t").lower())
