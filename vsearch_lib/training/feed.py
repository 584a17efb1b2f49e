"""Training examples as torch batches. Only this module knows petastorm, so only this file changes if it is replaced."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from vsearch_lib.training.inputs import Inputs
from vsearch_lib.training.local_snapshot import LocalSnapshot
from vsearch_lib.training.objectives.relations import positive_pairs

with warnings.catch_warnings():
    # petastorm 0.13 uses pyarrow's legacy datasets and pkg_resources: it works, and we cannot change it.
    warnings.simplefilter("ignore")
    from petastorm import make_batch_reader
    from petastorm.pytorch import BatchedDataLoader
    from petastorm.transform import TransformSpec
    from petastorm.workers_pool.thread_pool import ThreadPool

# With several threads petastorm yields row groups in any order; `Inputs.decode` may use threads of its own.
_WORKERS = 1
_ROW_GROUPS_AHEAD = 2  # that are decoded and wait for the training
_SEEDS = 2**31  # petastorm takes seeds of 32 bits

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
        inputs: (examples, 1 + candidates, …), what the network takes of each picture.
        labels: (examples,) int64, the index of the positive among the candidates.
        positives: (pictures, pictures) bool over all pictures, example after example: pairs to be near each other.
        related: (pictures, pictures) bool: those of one group, or of groups that are known to belong together; they
            are never pushed apart.
        weights: (examples,) float32.
    """

    inputs: Tensor
    labels: Tensor
    positives: Tensor
    related: Tensor
    weights: Tensor


def read_epoch(
    snapshot: LocalSnapshot, inputs: Inputs, epoch: int, *, batch_size: int, seed: int, shard: int = 0, shards: int = 1
) -> Iterator[Batch]:
    """Yield the shuffled examples of an epoch in batches of `batch_size`; the last one may be smaller.

    The same epoch of the same seed has the same batches, if torch's own random numbers start from the same seed. If the
    snapshot has several sets of negatives, the epochs use them in turn.

    Args:
        snapshot: has the examples.
        inputs: what a batch holds of each picture.
        epoch: counted from 0.
        batch_size: examples of a batch.
        seed: of the order of the row groups; each epoch has another order.
        shard: which part of the row groups to read, from 0.
        shards: the number of parts.
    """
    columns = snapshot.columns
    unchanged = [*columns, "label", "weight"]

    def decode(rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({**inputs.decode(rows), **{name: rows[name].to_numpy() for name in unchanged}})

    spec = TransformSpec(
        decode,
        edit_fields=[(*field, False) for field in inputs.fields],
        selected_fields=[*(name for name, *_ in inputs.fields), *unchanged],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = make_batch_reader(
            _urls(snapshot.examples[epoch % len(snapshot.examples)]),
            transform_spec=spec,
            num_epochs=1,
            shuffle_row_groups=True,
            # Zero would mean that petastorm may yield row groups in any order.
            seed=1 + (seed + epoch) % _SEEDS,
            reader_pool_type="thread",
            workers_count=_WORKERS,
            results_queue_size=_ROW_GROUPS_AHEAD,
            **({"cur_shard": shard, "shard_count": shards} if shards > 1 else {}),
        )
        with BatchedDataLoader(reader, batch_size=batch_size, shuffling_queue_capacity=batch_size * 8) as loader:
            for batch in loader:
                numbers = torch.stack([batch[name] for name in columns], dim=1)
                labels = batch["label"].long()
                groups = snapshot.groups(numbers.numpy())
                same = positive_pairs(torch.from_numpy(groups), labels)
                if not inputs.differs:
                    flat = numbers.flatten()
                    same &= flat.unsqueeze(0) != flat.unsqueeze(1)
                yield Batch(
                    inputs=inputs.take(batch, numbers),
                    labels=labels,
                    positives=same,
                    related=torch.from_numpy(snapshot.related(groups.ravel(), groups.ravel())),
                    weights=batch["weight"],
                )


def _urls(files: Sequence[Path]) -> list[str]:
    """Return the URLs by which petastorm reads `files`, one by one.

    Given a folder, it would load the schema from `_common_metadata` or `_metadata`, which hold it as a pickle; a list
    of files has no metadata except their own footers. petastorm expects paths that are not percent-encoded.
    """
    return [f"file://{file.absolute()}" for file in files]
