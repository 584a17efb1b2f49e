"""`vsearch index`: looks after the published versions of the index."""

import argparse
from datetime import UTC, datetime, timedelta

from vsearch_lib.cli import compare_indexes, tune
from vsearch_lib.cli.run import run_graph_of
from vsearch_lib.errors import ArtefactError
from vsearch_lib.run.arguments import Commands, add_common_arguments, add_setting_arguments, settings_of
from vsearch_lib.terminal import say


def add(commands: Commands) -> None:
    """Register the command."""
    index = commands.add_parser("index", help="look after published versions of the index")
    actions = index.add_subparsers(required=True, metavar="ACTION", dest="action")
    compact = actions.add_parser(
        "compact", help="fold deltas and tombstones in", description="Fold deltas and tombstones in."
    )
    add_common_arguments(compact)
    compact.set_defaults(call=run_graph_of, graph="compact")
    for action, purpose, default, call in (
        ("list", "list all versions, with a mark at the served one", None, _list),
        ("show", "show what a version consists of and what it was made from", "the served one", _show),
        ("verify", "check every file of a version byte for byte", "the served one", _verify),
        ("rollback", "serve an earlier version again", "the parent of the served one", _rollback),
        ("gc", "delete old versions, and files that no remaining version names", None, _gc),
    ):
        parser = actions.add_parser(action, help=purpose, description=purpose)
        if default:
            parser.add_argument("version", nargs="?", help=f"default: {default}")
        add_setting_arguments(parser)
        parser.set_defaults(call=call)
    compare_indexes.add(actions)
    tune.add(actions)


def _list(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    from vsearch_lib.artefact.pointer import read_pointer, read_version, versions
    from vsearch_lib.storage import open_store

    store = open_store(settings.index.uri)
    published = versions(store)
    if not published:
        say(f"nothing is published at {store.uri}")
    served, errors = None, []
    try:
        pointer = read_pointer(store)
        served = pointer.version if pointer else None
    except ArtefactError as error:
        errors.append(error)
    for version in published:
        mark = "*" if version == served else " "
        try:
            manifest = read_version(store, version)
        except ArtefactError as error:
            errors.append(error)
            say(f"{mark} {version}  damaged")
            continue
        rows, dead = manifest.rows, manifest.counts.get("dead", 0)
        deltas = f", {len(manifest.deltas)} deltas" if manifest.deltas else ""
        say(f"{mark} {version}  {manifest.kind:<9}  {rows - dead} living rows of {rows}{deltas}")
    if errors:
        raise errors[0]


def _show(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    from vsearch_lib.artefact.manifest import encode
    from vsearch_lib.publishing.retention import known_version
    from vsearch_lib.storage import open_store

    store = open_store(settings.index.uri)
    print(encode(known_version(store, arguments.version)).decode(), end="")


def _verify(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    from vsearch_lib.publishing.retention import damages, known_version
    from vsearch_lib.storage import open_store

    store = open_store(settings.index.uri)
    manifest = known_version(store, arguments.version)
    damaged = damages(store, manifest)
    for line in damaged:
        say(line)
    files = len(manifest.files)
    if damaged:
        raise ArtefactError(f"{manifest.version}: {len(damaged)} of {files} files are damaged; vsearch index rollback")
    say(f"{manifest.version}: {files} files are what the manifest says")


def _rollback(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    from vsearch_lib.publishing.retention import roll_back
    from vsearch_lib.storage import open_store

    pointer = roll_back(open_store(settings.index.uri), arguments.version, now=datetime.now(UTC))
    say(f"{pointer.version} is served from {settings.index.uri}")


def _gc(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    from vsearch_lib.publishing.retention import collect
    from vsearch_lib.storage import open_store

    index = settings.index
    deleted = collect(
        open_store(index.uri),
        keep=index.retained_versions,
        unused_for=timedelta(hours=index.unused_hours),
        now=datetime.now(UTC),
        canary=settings.serving.canary.version,
    )
    for version in deleted.versions:
        say(f"deleted {version}")
    say(f"{len(deleted.versions)} versions and {deleted.files} files deleted, {deleted.bytes} bytes")
