"""Training examples as torch batches. Only this module knows petastorm, so only this file changes if it is replaced."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.training.local_snapshot import LocalSnapshot

with warnings.catch_warnings():
    # petastorm 0.13 uses pyarrow's legacy datasets and pkg_resources: it works, and we cannot change it.
    warnings.simplefilter("ignore")
    from petastorm import make_batch_reader
    from petastorm.pytorch import BatchedDataLoader
    from petastorm.transform import TransformSpec
    from petastorm.workers_pool.thread_pool import ThreadPool

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

    Attributes:
        pictures: (examples, 1 + candidates, 3, side, side) uint8.
        labels: (examples,) int64, the index of the positive among the candidates.
        groups: (examples, 1 + candidates) int64; pictures of one group show the same thing.
        related: (pictures, pictures) bool over all pictures, example after example: those of one group, or of groups
            that are known to belong together; they are never pushed apart.
        weights: (examples,) float32.
    """

    pictures: Tensor
    labels: Tensor
    groups: Tensor
    related: Tensor
    weights: Tensor


def read_batches(
    snapshot: LocalSnapshot, *, preprocessing: Preprocessing, batch_size: int, epochs: int, seed: int
) -> Iterator[Batch]:
    """Yield shuffled batches of `batch_size` examples (the last of an epoch may be smaller) for `epochs` epochs.

    If the snapshot has several sets of negatives, the epochs use them in turn.
    """
    for epoch in range(epochs):
        files = snapshot.examples[epoch % len(snapshot.examples)]
        yield from _epoch(snapshot, files, preprocessing=preprocessing, batch_size=batch_size, seed=seed + epoch)


def _epoch(
    snapshot: LocalSnapshot, files: Sequence[Path], *, preprocessing: Preprocessing, batch_size: int, seed: int
) -> Iterator[Batch]:
    side = preprocessing.side
    numbers = ["query", *(f"candidate_{i}" for i in range(snapshot.candidates))]
    pictures = [f"picture_{i}" for i in range(len(numbers))]
    unchanged = [*numbers, "label", "weight"]

    def decode(rows: pd.DataFrame) -> pd.DataFrame:
        decoded = {
            name: [
                np.ascontiguousarray(preprocessing.square(jpeg).transpose(2, 0, 1))
                for jpeg in snapshot.jpegs(rows[number].to_numpy())
            ]
            for name, number in zip(pictures, numbers, strict=True)
        }
        return pd.DataFrame({**decoded, **{name: rows[name].to_numpy() for name in unchanged}})

    spec = TransformSpec(
        decode,
        edit_fields=[(name, np.uint8, (3, side, side), False) for name in pictures],
        selected_fields=pictures + unchanged,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = make_batch_reader(
            _urls(files),
            transform_spec=spec,
            num_epochs=1,
            shuffle_row_groups=True,
            seed=seed,
            reader_pool_type="thread",
            workers_count=_WORKERS,
        )
        with BatchedDataLoader(reader, batch_size=batch_size, shuffling_queue_capacity=batch_size * 8) as loader:
            for batch in loader:
                groups = snapshot.groups(np.stack([batch[name].numpy() for name in numbers], axis=1))
                yield Batch(
                    pictures=torch.stack([batch[name] for name in pictures], dim=1),
                    labels=batch["label"].long(),
                    groups=torch.from_numpy(groups),
                    related=torch.from_numpy(snapshot.related(groups.ravel())),
                    weights=batch["weight"],
                )


def _urls(files: Sequence[Path]) -> list[str]:
    """Return the URLs by which petastorm reads `files`, one by one.

    Given a folder, it would load the schema from `_common_metadata` or `_metadata`, which hold it as a pickle; a list
    of files has no metadata except their own footers. petastorm expects paths that are not percent-encoded.
    """
    return [f"file://{file.absolute()}" for file in files]
