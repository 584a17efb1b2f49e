"""Examples of a snapshot are read back as batches: every example once an epoch."""

from __future__ import annotations

import pickle
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from petastorm.etl.dataset_metadata import UNISCHEMA_KEY
from petastorm.workers_pool.ventilator import ConcurrentVentilator

from tests.support.small_snapshot import grey, write_snapshot
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.training.feed import Batch, read_epoch
from vsearch_lib.training.inputs import Features, Pixels
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot

N = 31
SIDE = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A snapshot in which example i has the query i and, as candidates, i and i + 1, in alternating order.

    Its weight is 1 + i. In the second set of negatives the negative is i + 2. The pictures 3 and 4 are of one group,
    and the groups of 10 and 20 belong together.
    """
    out = tmp_path_factory.mktemp("a snapshot")

    def example(i: int, step: int) -> tuple[list[int], int, float]:
        other = (i + step) % N
        return [i, *([i, other] if i % 2 else [other, i])], 0 if i % 2 else 1, 1.0 + i

    groups = [3 if n == 4 else n for n in range(N)]
    sets = [[example(i, step) for i in range(N)] for step in (1, 2)]
    write_snapshot(out, [grey(8 * n) for n in range(N)], groups, sets, related=[(10, 20)])
    return out


@pytest.fixture(scope="module")
def snapshot(folder, tmp_path_factory) -> LocalSnapshot:
    return open_snapshot(str(folder), "s1", tmp_path_factory.mktemp("copy"))


def read(snapshot: LocalSnapshot, *, batch_size: int = 8, epochs: int = 1, seed: int = 1) -> list[Batch]:
    pixels = Pixels(snapshot, Preprocessing(SIDE, (0.5,) * 3, (0.5,) * 3))
    return [
        batch
        for epoch in range(epochs)
        for batch in read_epoch(snapshot, pixels, epoch, batch_size=batch_size, seed=seed)
    ]


def numbers(batches: list[Batch]) -> list[list[int]]:
    """The number of each picture of each example, by its level of grey."""
    levels = torch.cat([batch.inputs.float().mean(dim=(2, 3, 4)) for batch in batches])
    return (levels / 8).round().int().tolist()


def queries(batches: list[Batch]) -> list[int]:
    return [example[0] for example in numbers(batches)]


@pytest.fixture(scope="module")
def batches(snapshot) -> list[Batch]:
    return read(snapshot)


def test_an_epoch_yields_every_example_once(batches):
    assert sorted(queries(batches)) == list(range(N))


def test_epochs_use_the_sets_of_negatives_in_turn(snapshot):
    seen = Counter(tuple(sorted(set(example))) for example in numbers(read(snapshot, epochs=3)))
    assert seen == Counter(
        {tuple(sorted((i, (i + step) % N))): times for i in range(N) for step, times in ((1, 2), (2, 1))}
    )


def test_pictures_are_uint8_squares_and_labels_int64(batches):
    for batch in batches:
        examples = len(batch.weights)
        assert batch.inputs.dtype == torch.uint8
        assert batch.inputs.shape == (examples, 3, 3, SIDE, SIDE)
        assert batch.labels.dtype == torch.int64
        assert batch.related.shape == batch.positives.shape == (3 * examples, 3 * examples)


def test_all_batches_but_the_last_are_full(batches):
    assert [len(batch.labels) for batch in batches] == [8, 8, 8, 7]


def test_the_label_is_the_index_of_the_positive(batches):
    labels = torch.cat([batch.labels for batch in batches]).tolist()
    assert all(example[1 + label] == example[0] for example, label in zip(numbers(batches), labels, strict=True))


def groups_of(batch: Batch) -> torch.Tensor:
    shown = torch.tensor(numbers([batch])).flatten()
    return torch.where(shown == 4, 3, shown)


def test_pictures_of_one_group_are_positives_of_each_other(snapshot):
    (batch,) = read(snapshot, batch_size=N)
    groups = groups_of(batch)
    same = (groups.unsqueeze(0) == groups.unsqueeze(1)).fill_diagonal_(False)
    assert torch.equal(batch.positives, same)  # in these examples the positive is the query itself


def test_pictures_of_one_group_and_of_related_groups_are_related(snapshot):
    (batch,) = read(snapshot, batch_size=N)
    groups = groups_of(batch)
    same = groups.unsqueeze(0) == groups.unsqueeze(1)
    known = sum((groups == one).unsqueeze(0) & (groups == other).unsqueeze(1) for one, other in ((10, 20), (20, 10)))
    assert known.any()
    assert torch.equal(batch.related, same | known.bool())


def test_each_example_keeps_its_weight(batches):
    weights = torch.cat([batch.weights for batch in batches])
    assert weights.dtype == torch.float32
    assert weights.tolist() == [1 + query for query in queries(batches)]


class Planted:
    """An object that makes a file when it is unpickled: petastorm's unpickler allows all of `builtins`."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return exec, (f"open({str(self.marker)!r}, 'w').close()",)


@pytest.mark.parametrize(
    "names", [["_common_metadata"], ["_metadata"], ["_common_metadata", "_metadata"]], ids=" and ".join
)
def test_no_pickle_beside_the_examples_is_loaded(folder, snapshot, batches, tmp_path, names):
    beside = folder / "s1" / "examples-0000"
    marker = tmp_path / "marker"
    schema = pa.schema([("weight", pa.float32())], metadata={UNISCHEMA_KEY: pickle.dumps(Planted(marker))})
    for name in names:
        pq.write_metadata(schema, beside / name)
    assert Counter(queries(read(snapshot))) == Counter(queries(batches))
    assert not marker.exists()


def test_the_order_is_shuffled(batches):
    assert queries(batches) != sorted(queries(batches))


def test_no_batch_is_lost_while_files_are_still_being_handed_out(snapshot, batches, monkeypatch):
    """petastorm's threads took "nothing handed out yet" for "all done": hand the files out in exactly that moment."""
    completed, ventilate, checked = ConcurrentVentilator.completed, ConcurrentVentilator._ventilate, threading.Event()

    def hand_out_after_check(ventilator: ConcurrentVentilator) -> None:
        checked.wait()
        ventilate(ventilator)

    def check_and_wait(ventilator: ConcurrentVentilator) -> bool:
        if threading.current_thread() is threading.main_thread():
            checked.set()
            ventilator._ventilation_thread.join()
        return completed(ventilator)

    monkeypatch.setattr(ConcurrentVentilator, "_ventilate", hand_out_after_check)
    monkeypatch.setattr(ConcurrentVentilator, "completed", check_and_wait)
    assert Counter(queries(read(snapshot))) == Counter(queries(batches))


def test_the_same_epoch_has_the_same_batches_and_another_epoch_others(snapshot):
    def epoch(number: int, seed: int = 1) -> list[list[int]]:
        torch.manual_seed(7)
        pixels = Pixels(snapshot, Preprocessing(SIDE, (0.5,) * 3, (0.5,) * 3))
        return numbers(list(read_epoch(snapshot, pixels, number, batch_size=4, seed=seed)))

    first = epoch(0)
    assert all(epoch(0) == first for _ in range(5))
    assert epoch(2) != first
    assert epoch(0, seed=3) != first


def test_parts_of_an_epoch_hold_each_example_once(snapshot):
    pixels = Pixels(snapshot, Preprocessing(SIDE, (0.5,) * 3, (0.5,) * 3))
    parts = [queries(list(read_epoch(snapshot, pixels, 0, batch_size=4, seed=1, shard=s, shards=2))) for s in (0, 1)]
    assert all(parts)
    assert sorted([*parts[0], *parts[1]]) == list(range(N))


def test_a_batch_of_features_has_those_of_its_pictures_and_no_picture_is_its_own_positive(snapshot):
    features = np.random.default_rng(1).standard_normal((N, 5)).astype(np.float32)
    (batch,) = read_epoch(snapshot, Features(features), 0, batch_size=N, seed=1)
    rows = {tuple(vector): number for number, vector in enumerate(features.tolist())}
    shown = [[rows[tuple(vector)] for vector in example] for example in batch.inputs.tolist()]
    assert sorted(example[0] for example in shown) == list(range(N))
    flat = [number for example in shown for number in example]
    pairs = {tuple(sorted((flat[i], flat[j]))) for i, j in batch.positives.nonzero().tolist()}
    assert pairs == {(3, 4)}  # of one group; the positive of each example is the query itself
