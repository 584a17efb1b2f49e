"""Pictures of images for the page: as they are stored, or as thumbnails, to those who may see them."""

import io
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from threading import Lock
from typing import Literal, TypeAlias

from cachetools import TTLCache
from PIL import Image

from vsearch_lib.images.decode import JPEG_QUALITY
from vsearch_lib.serving.pictures import Picture, visible_pictures

Size = Literal["thumbnail", "full"]
_THUMBNAIL_PIXELS = 240  # of the longer side
_MAX_BATCH = 64
_KEPT_SECONDS = 300.0  # an image that was hidden meanwhile: its thumbnail is public for so long at most

_Waiting: TypeAlias = "dict[str, Future[Picture | None]]"


class PictureReader:
    """Reads pictures from the lake; what threads ask for during one read, the next read fetches together.

    One picture takes some 12 ms (two queries to delta-rs), 24 together some 80 ms.
    """

    def __init__(self, lake_uri: str) -> None:
        self._lake_uri = lake_uri
        self._waiting: dict[str | None, _Waiting] = {}
        self._lock, self._reading = Lock(), Lock()

    def read(self, image_id: str, viewer_id: str | None) -> Picture | None:
        """Return the picture of an image, None if there is none that the viewer may see now.

        Raises:
            ArtefactError: the lake cannot be read.
        """
        with self._lock:
            waiting = self._waiting.setdefault(viewer_id, {})
            future = waiting.setdefault(image_id, Future())
        with self._reading:
            if not future.done():
                self._read_together(viewer_id, image_id)
        return future.result()

    def _read_together(self, viewer_id: str | None, first: str) -> None:
        with self._lock:
            waiting = self._waiting.pop(viewer_id)
            ids = [first, *(other for other in waiting if other != first)]
            batch = {image_id: waiting.pop(image_id) for image_id in ids[:_MAX_BATCH]}
            if waiting:
                self._waiting[viewer_id] = waiting
        try:
            found = visible_pictures(self._lake_uri, list(batch), viewer_id=viewer_id)
        except BaseException as error:
            for future in batch.values():
                future.set_exception(error)
            return
        for image_id, future in batch.items():
            future.set_result(found.get(image_id))


class Thumbnails:
    """Thumbnails of public images, `size` of them; one of a private image is never kept. Threads may share it."""

    def __init__(self, size: int) -> None:
        self._kept: TTLCache[tuple[str, str], Picture] = TTLCache(size, _KEPT_SECONDS)
        self._lock = Lock()

    def get(self, version: str, image_id: str, read: Callable[[], Picture | None]) -> Picture | None:
        """Return the thumbnail of an image that is public in the served `version`; `read` reads its public picture."""
        key = (version, image_id)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None:
            return kept
        picture = read()
        if picture is None:
            return None
        small = thumbnail(picture)
        with self._lock:
            if self._kept.maxsize:
                self._kept[key] = small
        return small


def thumbnail(picture: Picture) -> Picture:
    """Return a picture, shrunk so that its longer side has 240 pixels."""
    with Image.open(io.BytesIO(picture.jpeg), formats=["JPEG"]) as image:
        image.draft("RGB", (_THUMBNAIL_PIXELS, _THUMBNAIL_PIXELS))
        small = image.convert("RGB")
        small.thumbnail((_THUMBNAIL_PIXELS, _THUMBNAIL_PIXELS))
    sink = io.BytesIO()
    small.save(sink, "JPEG", quality=JPEG_QUALITY - 10)
    return replace(picture, jpeg=sink.getvalue())
