"""`vsearch index`: looking after published versions."""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from vsearch_lib.artefact.manifest import encode
from vsearch_lib.artefact.pointer import read_pointer, read_version, versions
from vsearch_lib.config import Settings
from vsearch_lib.errors import ArtefactError
from vsearch_lib.publishing.retention import collect, damages, known_version, roll_back
from vsearch_lib.storage import open_store
from vsearch_lib.terminal import say


def run_action(arguments: argparse.Namespace, settings: Settings) -> None:
    """Do what `vsearch index ACTION` asks for."""
    _ACTIONS[arguments.action](arguments, settings)


def _list(_: argparse.Namespace, settings: Settings) -> None:
    store = open_store(settings.index.uri)
    found = versions(store)
    if not found:
        say(f"nothing is published at {store.uri}")
    served, broken = None, []
    try:
        pointer = read_pointer(store)
        served = pointer.version if pointer else None
    except ArtefactError as error:
        broken.append(error)
    for version in found:
        mark = "*" if version == served else " "
        try:
            manifest = read_version(store, version)
        except ArtefactError as error:
            broken.append(error)
            say(f"{mark} {version}  damaged")
            continue
        rows, dead = manifest.rows, manifest.counts.get("dead", 0)
        deltas = f", {len(manifest.deltas)} deltas" if manifest.deltas else ""
        say(f"{mark} {version}  {manifest.kind:<9}  {rows - dead} living rows of {rows}{deltas}")
    if broken:
        raise broken[0]


def _show(arguments: argparse.Namespace, settings: Settings) -> None:
    store = open_store(settings.index.uri)
    print(encode(known_version(store, arguments.version)).decode(), end="")


def _verify(arguments: argparse.Namespace, settings: Settings) -> None:
    store = open_store(settings.index.uri)
    manifest = known_version(store, arguments.version)
    broken = damages(store, manifest)
    for line in broken:
        say(line)
    files = len(manifest.files)
    if broken:
        raise ArtefactError(f"{manifest.version}: {len(broken)} of {files} files are damaged; vsearch index rollback")
    say(f"{manifest.version}: {files} files are what the manifest says")


def _rollback(arguments: argparse.Namespace, settings: Settings) -> None:
    pointer = roll_back(open_store(settings.index.uri), arguments.version, now=datetime.now(UTC))
    say(f"{pointer.version} is served from {settings.index.uri}")


def _gc(_: argparse.Namespace, settings: Settings) -> None:
    index = settings.index
    gone = collect(
        open_store(index.uri),
        keep=index.retained_versions,
        unused_for=timedelta(hours=index.unused_hours),
        now=datetime.now(UTC),
    )
    for version in gone.versions:
        say(f"deleted {version}")
    say(f"{len(gone.versions)} versions and {gone.files} files deleted, {gone.bytes} bytes")


_ACTIONS: Mapping[str, Callable[[argparse.Namespace, Settings], None]] = {
    "list": _list,
    "show": _show,
    "verify": _verify,
    "rollback": _rollback,
    "gc": _gc,
}
