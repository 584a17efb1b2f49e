"""Merges the layers of configuration (base, environment, overrides) into one checked `Settings`."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ValidationError

from vsearch_lib.config.settings import Settings
from vsearch_lib.errors import InvalidArgument, UsageError

PROJECT = Path(__file__).resolve().parents[2]
CONF = PROJECT / "conf"
_PATH_KEYS = re.compile(r"^(var|cache|landing\.images|model\.weights|spark\.workers_environment|[a-z]+\.uri)$")

_URI = re.compile(r"[a-z][a-z0-9]*://|file:/")
_NAMED_FOLDERS = ("{var}", "{landing.uri}")  # in this order: the second may start with the first

NAMED_WEIGHTS = ("packaged", "hub", "none")  # any other value of model.weights is a file

# Settings of older configurations → what to set today.
_RENAMED = {
    "examples.seed": "set examples.split_seed (which images are the test split) to its value, and where it matters "
    "examples.candidates_seed, evaluation.seed, monitoring.seed",
    "online.drift_sample": "set monitoring.sample (docs/monitoring.md)",
    "online.seed": "set monitoring.seed",
}

Key = tuple[str, ...]


@dataclass(frozen=True)
class _Origin:
    """Where a value was set: the name of a file, or an argument of `load_settings` and its value."""

    source: str
    argument: str | None = None

    def refusal(self, problem: str) -> UsageError:
        """Return the error that names this source and the problem."""
        message = f"{self.source}: {problem}"
        return InvalidArgument(self.argument, message) if self.argument else UsageError(message)


def environments() -> list[str]:
    """Return the names of all environments."""
    return sorted(file.stem for file in CONF.glob("*.yaml") if file.stem != "base")


def load_settings(env: str, overrides: Sequence[str] = (), *, images: str | None = None) -> Settings:
    """Return the settings of environment `env` with `section.key=value` overrides applied.

    `images` is a user's own folder of pictures: it is ingested instead of the landing zone's, and everything made from
    it is stored under `<var>/photos/<folder>-<hash of its path>`, so that two catalogues never mix.

    Raises:
        UsageError: names the key, where it was set and which values are allowed.
    """
    if env not in environments():
        known = ", ".join(environments())
        raise InvalidArgument("env", f"{env}: there is no conf/{env}.yaml; use one of {known}")
    values: dict[Key, Any] = {}
    origin: dict[Key, _Origin] = {}
    for name in ("base", env):
        for key, value in _leaves(_read(CONF / f"{name}.yaml")):
            values[key] = _anchored(key, value, PROJECT)
            origin[key] = _Origin(f"conf/{name}.yaml")
    if images is not None:
        folder = Path(images).resolve()
        if not folder.is_dir():
            raise InvalidArgument("images", f"{images}: no such folder; give one that holds pictures")
        values["var",] = f"{values['var',]}/photos/{_folder_name(folder)}"
        values["landing", "images"] = str(folder)
        origin["var",] = origin["landing", "images"] = _Origin(images, "images")
    for override in overrides:
        key, value = _parse_override(override)
        values[key] = _anchored(key, value, Path.cwd())
        origin[key] = _Origin(override, "override")
    return _checked(values, origin)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(f"conf/{file.name}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UsageError(f"conf/{file.name}: must hold sections of settings, as conf/base.yaml does")
    return cast(dict[str, Any], content)


def _leaves(tree: Mapping[str, Any], prefix: Key = ()) -> Iterator[tuple[Key, Any]]:
    for name, value in tree.items():
        key = (*prefix, str(name))
        if isinstance(value, Mapping) and key != ("spark", "conf"):
            yield from _leaves(value, key)
        else:
            yield key, value


def _parse_override(override: str) -> tuple[Key, Any]:
    name, equals, text = override.partition("=")
    if not equals or not name:
        raise InvalidArgument("override", f"{override}: write section.key=value, for example index.shards=4")
    if _PATH_KEYS.match(name) and text and text != "null" and text[0] not in "\"'":
        # YAML would read some folder names as another type, and would drop the part of a name after a #.
        return tuple(name.split(".")), text
    try:
        value = yaml.safe_load(text) if text else ""
    except (yaml.YAMLError, ValueError):
        # YAML takes the text for a number or a date, but finds the value impossible.
        value = text
    return tuple(name.split(".")), value


def _anchored(key: Key, value: Any, folder: Path) -> Any:
    """Make a relative path absolute: `folder` is the project's folder for a file, the current one for an override."""
    if not isinstance(value, str) or not _PATH_KEYS.match(".".join(key)):
        return value
    if (
        _URI.match(value)
        or value.startswith(_NAMED_FOLDERS)
        or (key == ("model", "weights") and value in NAMED_WEIGHTS)
    ):
        return value
    return str(folder / value)


def _folder_name(folder: Path) -> str:
    parts = [part for part in folder.parts[-2:] if part != folder.anchor]
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", "-".join(parts)) or "root"
    # Folders with the same name at different paths are different catalogues.
    return f"{readable}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]}"


def _resolved(values: Mapping[Key, Any]) -> dict[Key, Any]:
    """Return `values` with `{var}` and `{landing.uri}` filled in, and each path in one spelling."""
    resolved = dict(values)
    for name in _NAMED_FOLDERS:
        folder = str(resolved.get(tuple(name.strip("{}").split("."))))
        resolved = {k: v.replace(name, folder) if isinstance(v, str) else v for k, v in resolved.items()}
    paths = {k: _one_spelling(v) for k, v in resolved.items() if isinstance(v, str) and _PATH_KEYS.match(".".join(k))}
    return {**resolved, **paths}


def _one_spelling(path: str) -> str:
    """Return `path` without doubled or trailing slashes: in a bucket `a//b` and `a/b` are different keys."""
    if path.startswith("file:/"):
        return f"file://{_one_spelling('/' + path.removeprefix('file:').lstrip('/'))}"
    scheme, mark, rest = path.partition("://") if _URI.match(path) else ("", "", os.path.normpath(path))
    rest = re.sub("/+", "/", rest)
    return f"{scheme}{mark}{rest.rstrip('/') or rest}"


def _checked(values: Mapping[Key, Any], origin: Mapping[Key, _Origin]) -> Settings:
    tree: dict[str, Any] = {}
    for key, value in _resolved(values).items():
        branch = tree
        for name in key[:-1]:
            branch = branch.setdefault(name, {})
            if not isinstance(branch, dict):
                raise origin[key].refusal(f"{'.'.join(key)}: {name} is a setting, not a section")
        branch[key[-1]] = value
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise _refusal(error, origin) from None


def _refusal(error: ValidationError, origin: Mapping[Key, _Origin]) -> UsageError:
    first = error.errors()[0]
    key = tuple(str(part) for part in first["loc"])
    source = next(
        (origin[k] for k in (key, *origin) if k in origin and k[: len(key)] == key[: len(k)]),
        _Origin("conf/base.yaml"),
    )
    if first["type"] == "extra_forbidden":
        if renamed := _RENAMED.get(".".join(key)):
            return source.refusal(f"{'.'.join(key)} is no setting any more: {renamed}")
        known = ", ".join(_fields(key[:-1]))
        section = f"section {'.'.join(key[:-1])}" if key[:-1] else "the top level"
        return source.refusal(f"{'.'.join(key)} is not a setting; {section} has: {known}")
    message = first["msg"][0].lower() + first["msg"][1:]
    return source.refusal(f"{'.'.join(key)} = {first['input']!r}: {message}")


def _fields(section: Key) -> list[str]:
    model: type[BaseModel] = Settings
    for name in section:
        model = cast(type[BaseModel], model.model_fields[name].annotation)
    return sorted(model.model_fields)
