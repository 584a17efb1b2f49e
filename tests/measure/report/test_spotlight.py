"""A place is as bright as the model's look at it."""

from __future__ import annotations

import io

import numpy as np
import simplejpeg
from PIL import Image

from vsearch_lib.measure.report.spotlight import spotlit


def test_what_is_looked_at_keeps_its_light_and_the_rest_is_dim():
    white = bytes(simplejpeg.encode_jpeg(np.full((40, 80, 3), 255, np.uint8), colorspace="RGB"))
    lit = np.asarray(Image.open(io.BytesIO(spotlit(white, ((1.0, 0.0), (1.0, 0.0))))), dtype=int)
    assert lit.shape == (40, 80, 3)
    assert lit[:, :15].min() > 250  # the left half is looked at
    assert lit[:, -15:].max() < 45  # 0.15 of the light
