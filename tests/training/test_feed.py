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
import simplejpeg
import torch
from petastorm.etl.dataset_metadata import UNISCHEMA_KEY
from petastorm.workers_pool.ventilator import ConcurrentVentilator

from tests.support.small_snapshot import grey, write_snapshot
from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.training.feed import Batch, read_epoch
from vsearch_lib.training.inputs import Features, Inputs, Views
from vsearch_lib.training.local_snapshot import LocalSnapshot, open_snapshot
from vsearch_lib.training.objectives.relations import Relations
from vsearch_lib.training.plan import Plan
from vsearch_lib.training.processes import ALONE, Processes

N = 31


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


class Whole:
    """Whole pictures, without change."""

    differs = True

    def __init__(self, snapshot: LocalSnapshot) -> None:
        self.snapshot = snapshot

    def load(self, pictures: np.ndarray, generator: torch.Generator) -> torch.Tensor:
        pixels = np.stack([simplejpeg.decode_jpeg(jpeg) for jpeg in self.snapshot.jpegs(pictures)])
        return torch.from_numpy(pixels).float()


def read_one(snapshot: LocalSnapshot, inputs: Inputs, epoch: int = 0, *, seed: int = 1, **options) -> list[Batch]:
    relations = Relations(snapshot, differs=inputs.differs)
    return list(read_epoch(snapshot, inputs, epoch, seed=seed, relations=relations, **options))


def read(snapshot: LocalSnapshot, *, batch_size: int = 8, epochs: int = 1) -> list[Batch]:
    return [
        batch for epoch in range(epochs) for batch in read_one(snapshot, Whole(snapshot), epoch, batch_size=batch_size)
    ]


def numbers(batches: list[Batch]) -> list[list[int]]:
    """The number of each picture of each example, by its level of grey."""
    levels = torch.cat([batch.inputs.mean(dim=(1, 2, 3)) for batch in batches])
    return (levels / 8).round().int().view(-1, 3).tolist()


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


def test_a_plan_has_the_numbers_of_the_pictures_of_its_inputs(batches):
    for batch in batches:
        assert batch.plan.numbers.tolist() == numbers([batch])
        assert batch.plan.labels.dtype == torch.int64
        assert batch.plan.related.shape == batch.plan.positives.shape == (len(batch.inputs), len(batch.inputs))


def test_all_batches_but_the_last_are_full(batches):
    assert [len(batch.plan.labels) for batch in batches] == [8, 8, 8, 7]


def test_the_label_is_the_index_of_the_positive(batches):
    labels = torch.cat([batch.plan.labels for batch in batches]).tolist()
    assert all(example[1 + label] == example[0] for example, label in zip(numbers(batches), labels, strict=True))


def groups_of(batch: Batch) -> torch.Tensor:
    shown = torch.tensor(numbers([batch])).flatten()
    return torch.where(shown == 4, 3, shown)


def test_pictures_of_one_group_are_positives_of_each_other(snapshot):
    (batch,) = read(snapshot, batch_size=N)
    groups = groups_of(batch)
    same = (groups.unsqueeze(0) == groups.unsqueeze(1)).fill_diagonal_(False)
    assert torch.equal(batch.plan.positives, same)  # in these examples the positive is the query itself


def test_pictures_of_one_group_and_of_related_groups_are_related(snapshot):
    (batch,) = read(snapshot, batch_size=N)
    groups = groups_of(batch)
    same = groups.unsqueeze(0) == groups.unsqueeze(1)
    known = sum((groups == one).unsqueeze(0) & (groups == other).unsqueeze(1) for one, other in ((10, 20), (20, 10)))
    assert known.any()
    assert torch.equal(batch.plan.related, same | known.bool())


def test_each_example_keeps_its_weight(batches):
    weights = torch.cat([batch.plan.weights for batch in batches])
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
        return numbers(read_one(snapshot, Whole(snapshot), number, batch_size=4, seed=seed))

    first = epoch(0)
    assert all(epoch(0) == first for _ in range(5))
    assert epoch(2) != first
    assert epoch(0, seed=3) != first


def same_plans(some: list[Plan], others: list[Plan]) -> bool:
    fields = ("numbers", "labels", "positives", "related", "weights")
    return all(
        torch.equal(getattr(a, field), getattr(b, field)) for a, b in zip(some, others, strict=True) for field in fields
    )


@pytest.mark.parametrize("count", [2, 3, 5])
def test_together_the_processes_have_the_inputs_of_one_process(snapshot, count):
    views = Views(snapshot, Preprocessing(24, (0.5,) * 3, (0.5,) * 3), side=16, strength=1)

    def batches(processes: Processes) -> list[Batch]:
        torch.manual_seed(7)
        return read_one(snapshot, views, batch_size=20, processes=processes)

    alone = batches(ALONE)
    parts = [batches(Processes(rank, count)) for rank in range(count)]
    for i, batch in enumerate(alone):
        together = [part[i].inputs for part in parts if len(part[i].inputs)]
        assert torch.equal(torch.cat(together), batch.inputs)
        assert all(same_plans([part[i].plan], [batch.plan]) for part in parts)


def test_an_error_of_a_prepared_batch_reaches_the_training(snapshot, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError("cannot be read")

    monkeypatch.setattr(Whole, "load", fail)
    with pytest.raises(OSError, match="cannot be read"):
        read(snapshot)


def test_a_picture_shows_itself_and_each_of_its_views_equally_often():
    features = np.arange(3, dtype=np.float32).reshape(1, 3, 1)
    inputs = Features(features, np.zeros(1, np.float32))
    shown = inputs.load(np.zeros(3000, dtype=np.int64), torch.Generator().manual_seed(1)).flatten().int().tolist()
    assert inputs.differs
    assert all(abs(count - 1000) < 100 for count in Counter(shown).values())


def test_features_that_are_left_out_are_the_mean_and_the_others_grow_in_turn():
    features, mean = np.array([[1, 2, 3, 4]] * 3000, dtype=np.float32), np.array([0, 1, 2, 5], dtype=np.float32)
    inputs = (
        Features(features[:, None], mean, dropout=0.2).load(np.arange(3000), torch.Generator().manual_seed(1)).numpy()
    )
    left_out = inputs == mean
    assert np.allclose(inputs[~left_out], np.broadcast_to(mean + (features[0] - mean) / 0.8, inputs.shape)[~left_out])
    assert abs(left_out.mean() - 0.2) < 0.02


def test_a_batch_of_features_has_those_of_its_pictures_and_no_picture_is_its_own_positive(snapshot):
    features = np.random.default_rng(1).standard_normal((N, 5)).astype(np.float32)
    (batch,) = read_one(snapshot, Features(features[:, None], np.zeros(5, np.float32)), batch_size=N)
    rows = {tuple(vector): number for number, vector in enumerate(features.tolist())}
    shown = [[rows[tuple(vector)] for vector in example] for example in batch.inputs.view(N, 3, 5).tolist()]
    assert sorted(example[0] for example in shown) == list(range(N))
    flat = [number for example in shown for number in example]
    pairs = {tuple(sorted((flat[i], flat[j]))) for i, j in batch.plan.positives.nonzero().tolist()}
    assert pairs == {(3, 4)}  # of one group; the positive of each example is the query itself
