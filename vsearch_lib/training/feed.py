"""Training examples as torch batches. Only this module knows petastorm, so only this file changes if it is replaced."""

import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vsearch_lib.training.inputs import Inputs
from vsearch_lib.training.local_snapshot import LocalSnapshot
from vsearch_lib.training.objectives.relations import Relations
from vsearch_lib.training.plan import Plan
from vsearch_lib.training.processes import ALONE, BLOCK_EXAMPLES, Processes

with warnings.catch_warnings():
    # petastorm 0.13 uses pyarrow's legacy datasets and pkg_resources: it works, and we cannot change it.
    warnings.simplefilter("ignore")
    from petastorm import make_batch_reader
    from petastorm.pytorch import BatchedDataLoader
    from petastorm.workers_pool.thread_pool import ThreadPool

# With several threads petastorm yields row groups in any order. One reads the numbers of pictures fast enough.
_WORKERS = 1
_ROW_GROUPS_AHEAD = 2
_SHUFFLED_BATCHES = 8  # from which the examples of a batch are drawn
_BATCHES_AHEAD = 2  # that are prepared and wait for the training
_SEEDS = 2**31  # petastorm takes seeds of 32 bits

# petastorm 0.13.1 checks whether the workers are done before it checks whether all work was handed out. If all work is
# handed out in between, reading ends at once: 2 of 40 epochs of four files yielded nothing. So check in reverse order.
_workers_are_done = ThreadPool.all_workers_done


def _all_work_is_done(pool: ThreadPool) -> bool:
    return bool(pool._ventilator.completed() and _workers_are_done(pool))


ThreadPool.all_workers_done = _all_work_is_done


@dataclass(frozen=True)
class Batch:
    """A batch: its plan, and the inputs of this process.

    Attributes:
        plan: of the whole batch.
        inputs: (pictures, …), what the network takes of each picture of `part`, example after example.
        part: which examples of the batch are this process's.
    """

    plan: Plan
    inputs: Tensor
    part: slice


def read_epoch(
    snapshot: LocalSnapshot,
    inputs: Inputs,
    epoch: int,
    *,
    batch_size: int,
    seed: int,
    relations: Relations,
    processes: Processes = ALONE,
) -> Iterator[Batch]:
    """Yield the shuffled examples of an epoch in batches of `batch_size`; the last one may be smaller.

    The same epoch of the same seed has the same batches, if torch's own random numbers start from the same seed. All
    processes get the same batches, each with the inputs of its own part. While one batch is trained on, a thread
    prepares the next ones. If the snapshot has several sets of negatives, the epochs use them in turn.

    Args:
        snapshot: has the examples.
        inputs: what a batch holds of each picture.
        epoch: counted from 0.
        batch_size: examples of a batch.
        seed: of the order of the row groups, and of the inputs; each epoch has others.
        relations: of the pictures.
        processes: that share each batch.
    """
    with ThreadPoolExecutor(1) as preparing:
        waiting: deque[Future[Batch]] = deque()
        for step, plan in enumerate(_plans(snapshot, relations, epoch, batch_size, seed)):
            waiting.append(preparing.submit(_prepared, plan, inputs, (seed, epoch, step), processes))
            if len(waiting) > _BATCHES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _prepared(plan: Plan, inputs: Inputs, seeds: tuple[int, int, int], processes: Processes) -> Batch:
    part = processes.part(len(plan.numbers))
    blocks = []
    for start in range(part.start, part.stop, BLOCK_EXAMPLES):
        numbers = plan.numbers[start : min(start + BLOCK_EXAMPLES, part.stop)].flatten().numpy()
        state = np.random.SeedSequence([*seeds, start]).generate_state(1, np.uint64)[0]
        blocks.append(inputs.load(numbers, torch.Generator().manual_seed(int(state) >> 1)))
    return Batch(plan, torch.cat(blocks) if blocks else torch.empty(0), part)


def _plans(snapshot: LocalSnapshot, relations: Relations, epoch: int, batch_size: int, seed: int) -> Iterator[Plan]:
    columns = snapshot.columns
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = make_batch_reader(
            _urls(snapshot.examples[epoch % len(snapshot.examples)]),
            schema_fields=[*columns, "label", "weight"],
            num_epochs=1,
            shuffle_row_groups=True,
            # Zero would mean that petastorm may yield row groups in any order.
            seed=1 + (seed + epoch) % _SEEDS,
            reader_pool_type="thread",
            workers_count=_WORKERS,
            results_queue_size=_ROW_GROUPS_AHEAD,
        )
        with BatchedDataLoader(
            reader, batch_size=batch_size, shuffling_queue_capacity=batch_size * _SHUFFLED_BATCHES
        ) as loader:
            for rows in loader:
                numbers = torch.stack([rows[name] for name in columns], dim=1)
                labels = rows["label"].long()
                yield Plan(numbers, labels, *relations.of_batch(numbers, labels), rows["weight"])


def _urls(files: Sequence[Path]) -> list[str]:
    """Return the URLs by which petastorm reads `files`, one by one.

    Given a folder, it would load the schema from `_common_metadata` or `_metadata`, which hold it as a pickle; a list
    of files has no metadata except their own footers. petastorm expects paths that are not percent-encoded.
    """
    return [f"file://{file.absolute()}" for file in files]
