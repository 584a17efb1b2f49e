"""Training examples as torch batches. Only this module knows petastorm, so only this file changes if it is replaced."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from torch import Tensor

from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.errors import VsearchError
from vsearch_lib.storage import copy_folder

with warnings.catch_warnings():
    # petastorm 0.13 uses pyarrow's legacy datasets and pkg_resources: it works, and we cannot change it.
    warnings.simplefilter("ignore")
    from petastorm import make_batch_reader
    from petastorm.pytorch import BatchedDataLoader
    from petastorm.transform import TransformSpec
    from petastorm.workers_pool.thread_pool import ThreadPool

ROWS_PER_FILE = 128
_WORKERS = 2

# petastorm 0.13.1 checks whether the workers are done before it checks whether all work was handed out. If all work is
# handed out in between, reading ends at once: 2 of 40 epochs of four files yielded nothing. So check in reverse order.
_workers_are_done = ThreadPool.all_workers_done


def _all_work_is_done(pool: ThreadPool) -> bool:
    return bool(pool._ventilator.completed() and _workers_are_done(pool))


ThreadPool.all_workers_done = _all_work_is_done


@dataclass(frozen=True)
class Batch:
    """Pictures of a batch, example after example: a query, then its candidates.

    `pictures` is (examples, 1 + candidates, 3, side, side) uint8; `groups` is (examples, 1 + candidates) int64:
    pictures of one group are to be near each other, of different groups apart; `weights` is (examples,) float32.
    """

    pictures: Tensor
    groups: Tensor
    weights: Tensor


def materialise(examples: DataFrame, pixels: DataFrame, folder: Path) -> int:
    """Write examples with their pixels as Parquet into the local `folder`, and return the pictures per example.

    Columns: weight, picture_i (JPEG) and group_i; i = 0 is the query, the others are its candidates. A candidate's
    group depends only on its content, but the positive has the query's group: so the same picture is never a negative
    of itself, under any id and in any example. An example with a picture that `pixels` lacks is left out.

    Args:
        examples: example_id, label, weight, sha256s.
        pixels: sha256, jpeg.

    Raises:
        VsearchError: two examples have different numbers of candidates.
    """
    width = _pictures_per_example(examples)
    listed = examples.select("example_id", "label", "weight", F.posexplode("sha256s").alias("i", "sha256"))
    located = listed.join(pixels.select("sha256", "jpeg"), "sha256")
    grouped = located.groupBy("example_id", "label", "weight").agg(
        F.sort_array(F.collect_list(F.struct("i", "sha256", "jpeg"))).alias("p")
    )
    whole = grouped.where(F.size("p") == width)
    group = [F.xxhash64(F.col("p")[i]["sha256"]) for i in range(width)]
    columns = [F.col("weight")]
    columns += [F.col("p")[i]["jpeg"].alias(f"picture_{i}") for i in range(width)]
    columns += [F.when(F.col("label") == i - 1, group[0]).otherwise(group[i]).alias(f"group_{i}") for i in range(width)]
    shuffled = whole.repartition(4, F.xxhash64("example_id")).sortWithinPartitions(F.xxhash64("example_id"))
    writer = shuffled.select(columns).write.mode("overwrite").option("maxRecordsPerFile", ROWS_PER_FILE)
    # On a cluster, tasks write to storage that all machines share, and this machine copies the files from there.
    shared = examples.sparkSession.sparkContext.getCheckpointDir()
    written = f"{shared}/training_examples" if shared else str(folder)
    writer.parquet(written)
    if shared:
        copy_folder(written, folder)
    return width


def _pictures_per_example(examples: DataFrame) -> int:
    size = F.size("sha256s")
    smallest, largest = examples.agg(F.min(size), F.max(size)).collect()[0]
    if smallest != largest:
        raise VsearchError(
            f"some training examples have {smallest - 1} candidates and others {largest - 1}, but a batch needs the "
            "same number in all: run build_training_examples again, or vsearch run retrain"
        )
    return int(largest or 1)


def _urls(folder: Path) -> list[str]:
    """Return the URLs by which petastorm reads the files of examples in `folder`, one by one.

    Given a folder, it would load the schema from `_common_metadata` or `_metadata`, which hold it as a pickle; a list
    of files has no metadata except their own footers. petastorm expects paths that are not percent-encoded.
    """
    return [f"file://{file.absolute()}" for file in sorted(folder.glob("*.parquet")) if file.is_file()]


def read_batches(
    folder: Path, *, width: int, preprocessing: Preprocessing, batch_size: int, epochs: int, seed: int
) -> Iterator[Batch]:
    """Yield shuffled batches of `batch_size` examples (the last of an epoch may be smaller) for `epochs` epochs."""
    side = preprocessing.side
    pictures = [f"picture_{i}" for i in range(width)]
    groups = [f"group_{i}" for i in range(width)]
    unchanged = [*groups, "weight"]

    def decode(rows: pd.DataFrame) -> pd.DataFrame:
        decoded = {
            name: [np.ascontiguousarray(preprocessing.square(jpeg).transpose(2, 0, 1)) for jpeg in rows[name]]
            for name in pictures
        }
        return pd.DataFrame({**decoded, **{name: rows[name] for name in unchanged}})

    spec = TransformSpec(
        decode,
        edit_fields=[(name, np.uint8, (3, side, side), False) for name in pictures],
        selected_fields=pictures + unchanged,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = make_batch_reader(
            _urls(folder),
            transform_spec=spec,
            num_epochs=epochs,
            shuffle_row_groups=True,
            seed=seed,
            reader_pool_type="thread",
            workers_count=_WORKERS,
        )
        with BatchedDataLoader(reader, batch_size=batch_size, shuffling_queue_capacity=batch_size * 8) as loader:
            for batch in loader:
                yield Batch(
                    torch.stack([batch[name] for name in pictures], dim=1),
                    torch.stack([batch[name] for name in groups], dim=1),
                    batch["weight"],
                )
