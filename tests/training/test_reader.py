"""Materialised examples are read back as batches: every example once an epoch."""

from __future__ import annotations

import hashlib
import pickle
import shutil
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
from pyspark.sql import DataFrame

from vsearch_lib.encoder.preprocessing import Preprocessing
from vsearch_lib.errors import VsearchError
from vsearch_lib.training.reader import Batch, materialise, read_batches

N = 30
SIDE = 24
COPY = "image-copy"  # has the bytes of image-03 under another id


def grey(level: int) -> bytes:
    picture = np.full((40, 48, 3), level, dtype=np.uint8)
    return bytes(simplejpeg.encode_jpeg(picture, quality=95, colorspace="RGB"))


JPEGS = {f"image-{i:02d}": grey(8 * i) for i in range(N)}
JPEGS[COPY] = JPEGS["image-03"]


@pytest.fixture(scope="module")
def folder(spark, tmp_path_factory) -> Path:
    """Example i has the query i and, as candidates, i and i + 1 in alternating order; its weight is 1 + i."""
    examples = []
    for i in range(N):
        own, other = f"image-{i:02d}", f"image-{(i + 1) % N:02d}"
        examples.append((f"e{i:02d}", [own, *([own, other] if i % 2 else [other, own])], 0 if i % 2 else 1, 1.0 + i))
    examples.append(("copy", [COPY, COPY, "image-03"], 0, 4.0))
    examples.append(("lost", ["image-00", "image-00", "image-without-pixels"], 0, 1.0))
    out = tmp_path_factory.mktemp("examples") / "of a snapshot"
    assert materialise(*frames(spark, examples), out) == 3
    return out


def frames(spark, examples: list[tuple[str, list[str], int, float]]) -> tuple[DataFrame, DataFrame]:
    """Return the frames of examples, with pictures named by id, and of the pixels of every picture in JPEGS."""
    sha256 = {image: hashlib.sha256(jpeg).hexdigest() for image, jpeg in JPEGS.items()}
    rows = [(name, [sha256.get(image, "f" * 64) for image in images], *more) for name, images, *more in examples]
    pixels = {sha256[image]: bytearray(jpeg) for image, jpeg in JPEGS.items()}
    return (
        spark.createDataFrame(rows, "example_id string, sha256s array<string>, label int, weight float"),
        spark.createDataFrame(list(pixels.items()), "sha256 string, jpeg binary"),
    )


def read(folder: Path, *, batch_size: int = 8, epochs: int = 1, seed: int = 1) -> list[Batch]:
    return list(
        read_batches(
            folder,
            width=3,
            preprocessing=Preprocessing(SIDE, (0.5,) * 3, (0.5,) * 3),
            batch_size=batch_size,
            epochs=epochs,
            seed=seed,
        )
    )


def queries(batches: list[Batch]) -> list[int]:
    """The grey level of each query, which identifies its image."""
    return [round(float(level)) for batch in batches for level in batch.pictures[:, 0].float().mean(dim=(1, 2, 3))]


@pytest.fixture(scope="module")
def batches(folder) -> list[Batch]:
    return read(folder)


def test_an_epoch_yields_every_example_once(batches):
    # The copy shows image 3 again; the example whose candidate has no pixels is left out.
    assert Counter(round(level / 8) for level in queries(batches)) == Counter([*range(N), 3])


def test_three_epochs_yield_every_example_three_times(folder):
    counted = Counter(round(level / 8) for level in queries(read(folder, epochs=3)))
    assert counted == Counter({i: 6 if i == 3 else 3 for i in range(N)})


def test_pictures_are_uint8_squares_and_groups_int64(batches):
    for batch in batches:
        assert batch.pictures.dtype == torch.uint8
        assert batch.pictures.shape[1:] == (3, 3, SIDE, SIDE)
        assert batch.groups.dtype == torch.int64
        assert batch.groups.shape == batch.pictures.shape[:2]


def test_all_batches_but_the_last_are_full(batches):
    assert [len(batch.groups) for batch in batches] == [8, 8, 8, 7]


def test_the_positive_has_the_group_of_the_query_and_the_negative_has_not(batches):
    for batch in batches:
        for groups, pictures in zip(batch.groups, batch.pictures.float().mean(dim=(2, 3, 4)), strict=True):
            same_picture = (pictures - pictures[0]).abs() < 2
            assert torch.equal(groups == groups[0], same_picture)


def test_a_picture_has_the_same_group_in_every_example_and_under_every_id(batches):
    levels = torch.cat([batch.pictures.float().mean(dim=(3, 4, 2)).flatten() for batch in batches]).round()
    groups = torch.cat([batch.groups.flatten() for batch in batches])
    pairs = {(int(level) // 8, int(group)) for level, group in zip(levels + 2, groups, strict=True)}
    assert len(pairs) == N
    assert len({group for _, group in pairs}) == N


def test_each_example_keeps_its_weight(batches):
    weights = torch.cat([batch.weights for batch in batches])
    assert weights.dtype == torch.float32
    assert [float(weight) for weight in weights] == [1 + round(level / 8) for level in queries(batches)]


def test_examples_of_different_widths_are_refused(spark, tmp_path):
    pair, triple = ("a", ["image-00"] * 2, 0, 1.0), ("b", ["image-01"] * 3, 0, 1.0)
    with pytest.raises(VsearchError, match=r"examples have 1 candidates and others 2, .* run build_training"):
        materialise(*frames(spark, [pair, triple]), tmp_path)


class Planted:
    """An object that makes a file when it is unpickled: petastorm's unpickler allows all of `builtins`."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return exec, (f"open({str(self.marker)!r}, 'w').close()",)


@pytest.mark.parametrize(
    "names", [["_common_metadata"], ["_metadata"], ["_common_metadata", "_metadata"]], ids=" and ".join
)
def test_no_pickle_beside_the_examples_is_loaded(folder, batches, tmp_path, names):
    beside = tmp_path / "examples"
    shutil.copytree(folder, beside)
    marker = tmp_path / "marker"
    schema = pa.schema([("weight", pa.float32())], metadata={UNISCHEMA_KEY: pickle.dumps(Planted(marker))})
    for name in names:
        pq.write_metadata(schema, beside / name)
    assert Counter(queries(read(beside))) == Counter(queries(batches))
    assert not marker.exists()


def test_the_order_is_shuffled(batches):
    assert queries(batches) != sorted(queries(batches))


def test_no_batch_is_lost_while_files_are_still_being_handed_out(folder, batches, monkeypatch):
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
    assert Counter(queries(read(folder))) == Counter(queries(batches))
