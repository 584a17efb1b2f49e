"""Several encoders over one reading of the pictures."""

import numpy as np
import pytest

from vsearch_lib.measure.offline import side_by_side
from vsearch_lib.measure.offline.side_by_side import encode_each


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_each_encoder_sees_every_picture_in_the_order_of_the_stream(monkeypatch, batch):
    monkeypatch.setattr(side_by_side, "_BATCH", batch)
    pictures = iter([("a", b"1"), ("b", b"22"), ("c", b"333")])
    asked: list[int] = []

    def lengths(jpegs: list[bytes]) -> np.ndarray:
        asked.append(len(jpegs))
        return np.array([[len(jpeg)] for jpeg in jpegs], dtype=np.float32)

    ids, found = encode_each(pictures, {"length": lengths, "twice": lambda jpegs: 2 * lengths(jpegs)})
    assert ids == ["a", "b", "c"]
    np.testing.assert_array_equal(found["length"], [[1], [2], [3]])
    np.testing.assert_array_equal(found["twice"], [[2], [4], [6]])
    assert max(asked) <= batch
