"""Where vectors wait beside the tables for the commit that takes them in."""

from vsearch_lib.lake.tables import Lake
from vsearch_lib.storage import open_store


def pending_uri(lake: Lake) -> str:
    """Return the folder; each model has one of its own in it."""
    return f"{lake.uri}/pending_embeddings"


def remove_all_pending(lake: Lake) -> None:
    """Delete what is pending of every model: after an erasure nobody can tell whose vectors are among it."""
    store = open_store(pending_uri(lake))
    for key in store.list(""):
        store.delete(key)
