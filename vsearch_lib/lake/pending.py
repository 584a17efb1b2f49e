"""The folder beside the tables in which new vectors wait for the commit that adds them."""

from vsearch_lib.lake.tables import Lake
from vsearch_lib.storage import open_store


def pending_uri(lake: Lake) -> str:
    """Return the folder; each model has a folder of its own in it."""
    return f"{lake.uri}/pending_embeddings"


def remove_all_pending(lake: Lake) -> None:
    """Delete the pending vectors of every model: after an erasure they may contain vectors of erased images."""
    store = open_store(pending_uri(lake))
    for key in store.list(""):
        store.delete(key)
