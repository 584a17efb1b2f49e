"""Compares the feed of a training with a torch DataLoader over loose files, and measures its memory and its waits.

    .venv/bin/python benchmarks/feed.py var/clothing-training/lake 1.0

The argument is a lake with a training snapshot, as `clothing_training.py` leaves it; the second one is the share of its
examples that an epoch of the comparison has. Both make the same random views, of 160 pixels, on the same cores.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vsearch_lib.config import load_settings
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.models.registry import recipe_of
from vsearch_lib.models.weights import initial_encoder
from vsearch_lib.training.augment import random_views
from vsearch_lib.training.batch_norm import folded_batch_norm
from vsearch_lib.training.feed import Batch, read_epoch
from vsearch_lib.training.inputs import Views
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot
from vsearch_lib.training.objectives.objective import Objective, relations_of
from vsearch_lib.training.objectives.relations import Relations
from vsearch_lib.training.processes import ALONE
from vsearch_lib.training.update import update

SETTINGS = load_settings("local")
SIDE, STRENGTH, BATCH_EXAMPLES = 160, 0.3, 32
EPOCHS_OF_MEMORY, STEPS_OF_TRAINING, TURNS = 20, 40, 3


class Pairs(Dataset[Tensor]):
    """The pictures of each example, decoded from loose files."""

    def __init__(self, examples: np.ndarray, folder: Path, views: Views) -> None:
        self._examples, self._folder, self._decoded = examples, folder, views._decoded

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, place: int) -> Tensor:
        jpegs = ((self._folder / f"{number}.jpg").read_bytes() for number in self._examples[place])
        return torch.stack([torch.from_numpy(self._decoded.square(jpeg)).permute(2, 0, 1) for jpeg in jpegs])


def loader_batches(examples: np.ndarray, folder: Path, snapshot: LocalSnapshot, views: Views) -> DataLoader[Tensor]:
    """Return torch's loader with two processes, which decode and make the views of a batch."""

    def batch(pairs: list[Tensor]) -> Tensor:
        pictures = torch.cat(pairs)
        made = random_views(pictures, SIDE, snapshot.boxes, STRENGTH, torch.Generator().manual_seed(len(pictures)))
        return made.contiguous(memory_format=torch.channels_last)

    return DataLoader(
        Pairs(examples, folder, views),
        batch_size=BATCH_EXAMPLES,
        shuffle=True,
        num_workers=2,
        prefetch_factor=4,
        persistent_workers=True,
        collate_fn=batch,
    )


def seconds_of(batches: Iterable[object]) -> float:
    began = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - began


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def compare(snapshot: LocalSnapshot, views: Views, epoch: Callable[[int], Iterator[Batch]], share: float) -> None:
    """Print pictures per second of both, in turns."""
    columns = snapshot.columns
    examples = np.concatenate(
        [np.stack(pq.read_table(file, columns=columns).to_pandas().to_numpy()) for file in snapshot.examples[0]]
    )
    examples = examples[: int(share * len(examples))]
    steps = -(-len(examples) // BATCH_EXAMPLES)
    with tempfile.TemporaryDirectory() as folder:
        for number, jpeg in enumerate(snapshot.jpegs(np.arange(len(snapshot.hashes)))):
            (Path(folder) / f"{number}.jpg").write_bytes(jpeg)
        loader = loader_batches(examples, Path(folder), snapshot, views)
        for turn in range(TURNS):
            feed, torchs = seconds_of(islice(epoch(turn), steps)), seconds_of(loader)
            pictures = examples.size
            print(
                f"turn {turn + 1}: feed {pictures / feed:.0f} pictures/s, DataLoader {pictures / torchs:.0f}, "
                f"ratio {torchs / feed:.2f}",
                flush=True,
            )


def train_and_wait(snapshot: LocalSnapshot, relations: Relations, epoch: Callable[[int], Iterator[Batch]]) -> None:
    """Print which share of its time a training of the whole network waits for its next batch."""
    encoder: Encoder = initial_encoder(recipe_of(SETTINGS), "packaged", seed=1)
    training = SETTINGS.training
    objective = Objective(training, encoder, relations, dimension=encoder.dimension, frozen=None)
    optimiser = torch.optim.AdamW(encoder.parameters(), lr=1e-5)
    encoder.to(memory_format=torch.channels_last)
    batches, waited = epoch(0), 0.0
    next(batches)
    with folded_batch_norm(encoder, torch.rand(2, 3, SIDE, SIDE) * 255):
        began = time.perf_counter()
        for _ in range(STEPS_OF_TRAINING):
            asked = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - asked
            update(
                encoder,
                batch,
                objective,
                optimiser,
                dimension=encoder.dimension,
                max_gradient=1,
                pictures_at_once=training.pictures_at_once,
                processes=ALONE,
            )
        total = time.perf_counter() - began
    pictures = STEPS_OF_TRAINING * batch.plan.numbers.numel()
    print(f"training: {pictures / total:.1f} pictures/s, waits {waited / total:.2%} of the time", flush=True)


def main(lake: Path, share: float) -> None:
    """Print the comparison, the memory after epochs of the feed, and the waits of a training."""
    snapshots = lake / "training_snapshots"
    name = max(path.parent.name for path in snapshots.glob("*/snapshot.json"))
    preprocessing = initial_encoder(recipe_of(SETTINGS), "packaged", seed=1).preprocessing
    with tempfile.TemporaryDirectory() as folder:
        snapshot = open_snapshot(str(snapshots), name, Path(folder))
        views = Views(snapshot, preprocessing, side=SIDE, strength=STRENGTH)
        relations = relations_of(SETTINGS.training, snapshot, differs=True, frozen=None)

        def epoch(number: int) -> Iterator[Batch]:
            return read_epoch(snapshot, views, number, batch_size=BATCH_EXAMPLES, seed=1, relations=relations)

        print(f"{os.cpu_count()} cores, {snapshot.rows} examples of {len(snapshot.columns)} pictures", flush=True)
        compare(snapshot, views, epoch, share)
        for number in range(EPOCHS_OF_MEMORY):
            seconds_of(islice(epoch(number), int(share * snapshot.rows / BATCH_EXAMPLES)))
            print(f"after epoch {number + 1}: {resident_mib():.0f} MiB resident", flush=True)
        train_and_wait(snapshot, relations, epoch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
