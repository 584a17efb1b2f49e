"""Writes the files of the cases: pictures, rows and events, with the same bytes and times in each run."""

import io
import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()
UPLOADED = "2026-11-01T10:00:00Z"


def put(file: Path, content: bytes, *, modified: float = NOON) -> None:
    """Write a file and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    os.utime(file, (modified, modified))


def drawn(seed: int, width: int = 48, height: int = 40) -> Image.Image:
    """Draw a gradient with some shapes on it; each seed gives another picture."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, 255, (2, 3))
    share = np.linspace(0, 1, width)[np.newaxis, :, np.newaxis]
    gradient = (left * (1 - share) + right * share).repeat(height, axis=0)
    picture = Image.fromarray(gradient.astype(np.uint8))
    canvas = ImageDraw.Draw(picture)
    for _ in range(5):
        x, y = int(rng.integers(0, width * 3 // 4)), int(rng.integers(0, height * 3 // 4))
        box = (x, y, x + int(rng.integers(6, width // 2)), y + int(rng.integers(6, height // 2)))
        shape = canvas.ellipse if rng.random() < 0.5 else canvas.rectangle
        shape(box, fill=tuple(int(value) for value in rng.integers(0, 255, 3)))
    return picture


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    """Return the bytes of a picture in Pillow's format `form`."""
    sink = io.BytesIO()
    picture.save(sink, form, **options)
    return sink.getvalue()


def jpeg(seed: int) -> bytes:
    """Return a small JPEG; each seed gives another one."""
    return encoded(drawn(seed), "JPEG", quality=88)


def put_pictures(folder: Path, names: Iterable[str], *, first_seed: int) -> None:
    """Write a JPEG for each name."""
    for seed, name in enumerate(names, start=first_seed):
        put(folder / name, jpeg(seed))


def numbered(stem: str, count: int, suffix: str = "") -> list[str]:
    """Return stem0, stem1, ... with a suffix."""
    return [f"{stem}{number}{suffix}" for number in range(count)]


def row(image_id: object, file: str | None = None, **more: object) -> dict[str, object]:
    """Return a complete row of metadata. The default file is `<image_id>.jpg`."""
    return {
        "image_id": image_id,
        "file": file or f"{image_id}.jpg",
        "owner_id": "owner",
        "uploaded_at": UPLOADED,
        **more,
    }


def json_lines(objects: Iterable[Mapping[str, object]]) -> bytes:
    """Return objects as JSON lines."""
    return "".join(f"{json.dumps(item, ensure_ascii=False)}\n" for item in objects).encode()


def events(stem: str, count: int) -> bytes:
    """Return impressions stem0, stem1, ... as JSON lines."""
    return json_lines(
        {
            "event_id": event_id,
            "user_id": "user",
            "query_image_id": "query",
            "displayed_image_id": "shown",
            "position": 1,
            "type": "impression",
            "occurred_at": UPLOADED,
            "request_id": f"request-{event_id}",
        }
        for event_id in numbered(stem, count)
    )
