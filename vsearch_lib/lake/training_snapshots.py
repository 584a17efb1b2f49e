"""The folder beside the tables that holds the files of training snapshots: they have copies of pictures."""

from collections.abc import Collection

from vsearch_lib.lake.tables import Lake
from vsearch_lib.storage import open_store


def training_snapshots_uri(lake: Lake) -> str:
    """Return the folder; each snapshot has a folder of its own in it."""
    return f"{lake.uri}/training_snapshots"


def keep_training_snapshots(lake: Lake, names: Collection[str]) -> None:
    """Delete the files of all snapshots but `names`, also those that a killed run has left unfinished.

    Of the others, what a killed training in several processes has left is deleted: it holds pictures too.

    The description, which makes the others readable, is deleted first. A snapshot that another run is writing is
    unfinished too: its training then finds that it is not complete.
    """
    store = open_store(training_snapshots_uri(lake))
    keys = [key for key in store.list("") if key.split("/")[0] not in names or key.split("/")[1] == "training"]
    for key in sorted(keys, key=lambda key: not key.endswith(".json")):
        store.delete(key)
