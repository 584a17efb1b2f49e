"""Files of training snapshots are deleted with them, and so is what a killed training has left beside them."""

from __future__ import annotations

from vsearch_lib.lake.training_snapshots import keep_training_snapshots, training_snapshots_uri
from vsearch_lib.storage import open_store


def test_only_the_files_and_checkpoints_of_kept_snapshots_stay(lake):
    store = open_store(training_snapshots_uri(lake))
    kept = ["s1/snapshot.json", "s1/pictures/00000.parquet", "s1/checkpoints/head.safetensors"]
    for key in (*kept, "s1/training/d1/rest.safetensors", "s2/snapshot.json", "s2/training/d2/rest.safetensors"):
        store.write_new(key, b"content")
    keep_training_snapshots(lake, ["s1"])
    assert sorted(store.list("")) == sorted(kept)
