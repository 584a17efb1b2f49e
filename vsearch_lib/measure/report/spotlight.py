"""A picture in which only that is bright which the model looks at."""

import io

import numpy as np
from PIL import Image

from vsearch_lib.serving.look import Map

_DIMMEST = 0.15  # share of its light that a place keeps which adds nothing


def spotlit(jpeg: bytes, seen: Map) -> bytes:
    """Return the picture as a JPEG, each place as bright as `seen` (0 to 1, rows from the top) says."""
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    light = Image.fromarray(np.array(seen, dtype=np.float32)).resize(picture.size, Image.Resampling.BILINEAR)
    share = _DIMMEST + (1 - _DIMMEST) * np.clip(np.asarray(light), 0, 1)[..., None]
    lit = (np.asarray(picture, dtype=np.float32) * share).round().astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(lit).save(content, "JPEG", quality=85)
    return content.getvalue()
