"""Training snapshots, written without Spark."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import simplejpeg

from vsearch_lib.examples.boxes import PRIOR
from vsearch_lib.examples.snapshot import DESCRIPTION, Snapshot, SnapshotFile, encode


def grey(level: int) -> bytes:
    """A picture that is grey all over."""
    picture = np.full((40, 48, 3), level, dtype=np.uint8)
    return bytes(simplejpeg.encode_jpeg(picture, quality=95, colorspace="RGB"))


def write_snapshot(
    folder: Path,
    jpegs: Sequence[bytes],
    groups: Sequence[int],
    sets: Sequence[Sequence[tuple[Sequence[int], int, float]]],
    *,
    related: Sequence[tuple[int, int]] = (),
    rows_per_file: int = 8,
) -> None:
    """Write the snapshot s1 below `folder`; an example is the numbers of its pictures, its label and its weight."""

    def written(name: str, columns: dict[str, object], rows: int) -> SnapshotFile:
        path = folder / "s1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)
        content = path.read_bytes()
        return SnapshotFile(name, hashlib.sha256(content).hexdigest(), len(content), rows)

    half = len(jpegs) // 2
    pictures = [
        written(
            f"pictures/{i:05d}.parquet",
            {
                "number": pa.array(range(start, end), pa.int64()),
                "group": pa.array(groups[start:end], pa.int64()),
                "sha256": [hashlib.sha256(jpeg).hexdigest() for jpeg in jpegs[start:end]],
                "jpeg": pa.array(jpegs[start:end], pa.binary()),
            },
            end - start,
        )
        for i, (start, end) in enumerate([(0, half), (half, len(jpegs))])
    ]
    parts = []
    for number, examples in enumerate(sets):
        files = []
        for start in range(0, len(examples), rows_per_file):
            some = examples[start : start + rows_per_file]
            names = ["query", *(f"candidate_{i}" for i in range(len(some[0][0]) - 1))]
            columns = {name: pa.array([one[0][i] for one in some], pa.int64()) for i, name in enumerate(names)}
            columns["label"] = pa.array([one[1] for one in some], pa.int32())
            columns["weight"] = pa.array([one[2] for one in some], pa.float32())
            files.append(written(f"examples-{number:04d}/{start:05d}.parquet", columns, len(some)))
        parts.append(tuple(files))
    both = sorted({*related, *((other, one) for one, other in related)})
    columns = {
        "group": pa.array([g for g, _ in both], pa.int64()),
        "other_group": pa.array([o for _, o in both], pa.int64()),
    }
    files = [written("related/00000.parquet", columns, len(both))] if both else []
    candidates = len(sets[0][0][0]) - 1
    snapshot = Snapshot("s1", {}, candidates, tuple(pictures), tuple(parts), tuple(files), PRIOR)
    (folder / "s1" / DESCRIPTION).write_bytes(encode(snapshot))
