"""The folder beside the tables that holds the files of training snapshots: they have copies of pictures."""

from collections.abc import Iterable

from vsearch_lib.lake.tables import Lake
from vsearch_lib.storage import open_store


def training_snapshots_uri(lake: Lake) -> str:
    """Return the folder; each snapshot has a folder of its own in it."""
    return f"{lake.uri}/training_snapshots"


def remove_training_snapshots(lake: Lake, names: Iterable[str]) -> None:
    """Delete the files of the snapshots `names`, the description that makes them readable first."""
    store = open_store(training_snapshots_uri(lake))
    for name in names:
        keys = store.list(name)
        for key in sorted(keys, key=lambda key: not key.endswith(".json")):
            store.delete(key)
