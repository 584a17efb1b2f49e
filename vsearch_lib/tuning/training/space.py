"""The settings that a search tries: lists of values, and ranges of numbers."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

from vsearch_lib.config import Settings
from vsearch_lib.errors import InvalidArgument

Value: TypeAlias = str | int | float | bool | None
Point: TypeAlias = tuple[tuple[str, Value], ...]  # setting and value, in order of the settings' names
SettingsWith: TypeAlias = Callable[[Sequence[str]], Settings]  # section.key=value overrides → all settings, checked

_SECTION = "training"
# What all trials have in common: how much is trained, and what is drawn at random.
_COMMON = ("training.depth", "training.min_pairs", "training.processes", "training.max_minutes", "training.seed")


@dataclass(frozen=True)
class Listed:
    """Some values of a setting."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`, whole ones if these are ints; `logarithmic` draws each magnitude as often."""

    low: float
    high: float
    logarithmic: bool


Space: TypeAlias = Mapping[str, Listed | Between]  # by the names of the settings, in their order


def parse_space(attempts: Sequence[str], settings_with: SettingsWith) -> Space:
    """Return what to try.

    Args:
        attempts: `section.key=value,value…` or `section.key=low:high`, or `low:high:log`.
        settings_with: returns the configured settings with some overrides, or raises a UsageError that names a value.

    Raises:
        UsageError: an attempt has another form or is repeated, or names a setting or a value that cannot be tried.
    """
    space: dict[str, Listed | Between] = {}
    for attempt in attempts:
        name, equals, text = attempt.partition("=")
        if not equals:
            raise _invalid(attempt, "write section.key=value,value or section.key=low:high")
        if not name.startswith(f"{_SECTION}.") or name in _COMMON:
            common = ", ".join(_COMMON)
            raise _invalid(attempt, f"only settings of the section {_SECTION} can be tried, and not {common}")
        if name in space:
            raise _invalid(attempt, f"{name} is given twice; write all its values in one list")
        if ":" in text and "," not in text:
            space[name] = _range(attempt, name, text, settings_with)
        else:
            values = [_value(name, one, settings_with) for one in text.split(",")]
            space[name] = Listed(tuple(dict.fromkeys(values)))
    return dict(sorted(space.items()))


def overrides_of(point: Point) -> list[str]:
    """Return a point as `section.key=value` words, as they are parsed."""
    return [f"{name}={text_of(value)}" for name, value in point]


def text_of(value: Value) -> str:
    """Return a value as configuration files and overrides write it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def setting(settings: Settings, name: str) -> Value:
    """Return the value of a setting by its full name."""
    found: Any = settings
    for part in name.split("."):
        found = getattr(found, part)
    value: Value = found
    return value


def _value(name: str, text: str, settings_with: SettingsWith) -> Value:
    return setting(settings_with([f"{name}={text}"]), name)


def _range(attempt: str, name: str, text: str, settings_with: SettingsWith) -> Between:
    first, *rest = text.split(":")
    if len(rest) == 2 and rest[1] == "log":
        logarithmic = True
    elif len(rest) == 1:
        logarithmic = False
    else:
        raise _invalid(attempt, "write a range as low:high or low:high:log")
    low, high = (_value(name, one, settings_with) for one in (first, rest[0]))
    if not _is_number(low) or not _is_number(high):
        raise _invalid(attempt, "only numbers have others between them; write a list of values")
    if not low < high:
        raise _invalid(attempt, "a range needs the lower number first")
    if logarithmic and low <= 0:
        raise _invalid(attempt, "a logarithmic range begins above 0")
    return Between(low, high, logarithmic)


def _is_number(value: Value) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _invalid(attempt: str, problem: str) -> InvalidArgument:
    return InvalidArgument("attempts", f"{attempt}: {problem}")
