"""`vsearch index`: looking after published versions."""

import argparse
from datetime import UTC, datetime, timedelta

from vsearch_lib.cli import tune
from vsearch_lib.cli.run import run_graph_of
from vsearch_lib.errors import ArtefactError
from vsearch_lib.run.arguments import Commands, add_common_arguments, add_setting_arguments, settings_of
from vsearch_lib.terminal import say


def add(commands: Commands) -> None:
    """Register the command."""
    index = commands.add_parser("index", help="look after published versions of the index")
    actions = index.add_subparsers(required=True, metavar="ACTION", dest="action")
    compact = actions.add_parser("compact", help="fold deltas and tombstones in", description="Fold them in.")
    add_common_arguments(compact)
    compact.set_defaults(call=run_graph_of, graph="compact")
    for action, purpose, default, call in (
        ("list", "list the versions there are, the served one marked", None, _list),
        ("show", "say what a version consists of and what it was made from", "the served one", _show),
        ("verify", "check every file of a version byte for byte", "the served one", _verify),
        ("rollback", "serve an earlier version again", "the parent of the served one", _rollback),
        ("gc", "delete old versions, and files that none of the others names", None, _gc),
    ):
        looking = actions.add_parser(action, help=purpose, description=purpose)
        if default:
            looking.add_argument("version", nargs="?", help=f"default: {default}")
        add_setting_arguments(looking)
        looking.set_defaults(call=call)
    tune.add(actions)


def _list(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    from vsearch_lib.artefact.pointer import read_pointer, read_version, versions
    from vsearch_lib.storage import open_store

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
    broken = damages(store, manifest)
    for line in broken:
        say(line)
    files = len(manifest.files)
    if broken:
        raise ArtefactError(f"{manifest.version}: {len(broken)} of {files} files are damaged; vsearch index rollback")
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
    gone = collect(
        open_store(index.uri),
        keep=index.retained_versions,
        unused_for=timedelta(hours=index.unused_hours),
        now=datetime.now(UTC),
    )
    for version in gone.versions:
        say(f"deleted {version}")
    say(f"{len(gone.versions)} versions and {gone.files} files deleted, {gone.bytes} bytes")
