"""Examples of a snapshot are read back as batches: every example once an epoch."""

from __future__ import annotations

import pickle
import threading
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from petastorm.etl.dataset_metadata import UNISCHEMA_KEY
from petastorm.workers_pool.ventilator import ConcurrentVentilator

from tests.support.small_snapshot import grey, write_snapshot
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot
from vsearch_lib.training.reader import Batch, read_batches

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
    square = Preprocessing(SIDE, (0.5,) * 3, (0.5,) * 3)
    return list(read_batches(snapshot, preprocessing=square, batch_size=batch_size, epochs=epochs, seed=seed))


def numbers(batches: list[Batch]) -> list[list[int]]:
    """The number of each picture of each example, by its level of grey."""
    levels = torch.cat([batch.pictures.float().mean(dim=(2, 3, 4)) for batch in batches])
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


def test_pictures_are_uint8_squares_and_numbers_int64(batches):
    for batch in batches:
        examples = len(batch.weights)
        assert batch.pictures.dtype == torch.uint8
        assert batch.pictures.shape == (examples, 3, 3, SIDE, SIDE)
        assert batch.groups.dtype == batch.labels.dtype == torch.int64
        assert batch.groups.shape == (examples, 3)
        assert batch.related.shape == (3 * examples, 3 * examples)


def test_all_batches_but_the_last_are_full(batches):
    assert [len(batch.groups) for batch in batches] == [8, 8, 8, 7]


def test_the_label_is_the_index_of_the_positive(batches):
    labels = torch.cat([batch.labels for batch in batches]).tolist()
    assert all(example[1 + label] == example[0] for example, label in zip(numbers(batches), labels, strict=True))


def test_a_picture_has_its_group_in_every_example(batches):
    groups = torch.cat([batch.groups for batch in batches]).flatten().tolist()
    shown = [number for example in numbers(batches) for number in example]
    assert all(group == (3 if number == 4 else number) for number, group in zip(shown, groups, strict=True))


def test_pictures_of_one_group_and_of_related_groups_are_related(snapshot):
    (batch,) = read(snapshot, batch_size=N)
    groups = batch.groups.flatten()
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
