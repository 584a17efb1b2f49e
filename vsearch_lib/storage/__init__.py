"""Storage: the only package that knows where bytes are stored: in a local folder, or in a bucket behind S3's API."""

from vsearch_lib.storage.foreign import objects_below, objects_in, open_file, read_bytes
from vsearch_lib.storage.stores import Store, Stored, Versioned, copy_folder, local_path, open_store

__all__ = [
    "Store",
    "Stored",
    "Versioned",
    "copy_folder",
    "local_path",
    "objects_below",
    "objects_in",
    "open_file",
    "open_store",
    "read_bytes",
]
