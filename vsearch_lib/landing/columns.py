"""Names of columns as people write them, and the fields that they are: each certain, or the row is refused."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

# Fields that decide who may see a picture: what is said under a name that is nearly one of these counts.
_GUARDED = ("visibility", "moderation", "deleted")
_NEARLY = 0.85  # of difflib's ratio: vsibility and modration are, tag and title are not
_VISIBILITY_WORDS = re.compile(r"visib|privat|privacy|moderat|delet|hidden|audience|(^|_)(public|shared|access)(_|$)")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class UnclearColumns(Exception):
    """Raised when it is not certain which column is which field; the message says why."""


@dataclass(frozen=True)
class Columns:
    """The field of each column, by position; None for a column that is none of ours."""

    fields: tuple[str | None, ...]
    renamed: bool  # a column is spelled otherwise than its field

    @classmethod
    def of(cls, names: Sequence[str], fields: Sequence[str]) -> "Columns":
        """Return the fields that columns called `names` are: case, spaces and dashes do not matter.

        Raises:
            UnclearColumns: two columns are one field, or a name that is no field seems to say who sees a picture.
        """
        by_plain_name = {_plain(field): field for field in fields}
        found = tuple(by_plain_name.get(_plain(name)) for name in names)
        for number, (name, field) in enumerate(zip(names, found, strict=True)):
            if field is not None and field in found[:number]:
                raise UnclearColumns(f"{field} is there twice")
            guarded = [guard for guard in _GUARDED if guard in fields]
            if field is None and guarded and _is_about_visibility(_plain(name), guarded):
                raise UnclearColumns(f"{name[:40]} is not a field, and may say who sees a picture; is it {guarded[0]}?")
        return cls(found, any(field not in (None, name) for name, field in zip(names, found, strict=True)))


def refuse_nested_visibility(names: Sequence[str], fields: Sequence[str]) -> None:
    """Raise UnclearColumns if one of `names`, which stand inside another field, seems to say who sees a picture."""
    guarded = [guard for guard in _GUARDED if guard in fields]
    if guarded and (found := next((name for name in names if _is_about_visibility(_plain(name), guarded)), None)):
        raise UnclearColumns(f"{found[:40]} stands inside another field; it is not read there")


def _is_about_visibility(name: str, guarded: Sequence[str]) -> bool:
    return bool(_VISIBILITY_WORDS.search(name) or difflib.get_close_matches(name, guarded, 1, _NEARLY))


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", _CAPITAL.sub("_", name).strip("\ufeff \t").lower())
