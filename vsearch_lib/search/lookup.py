"""Where an image stands in the rows of a shard."""

from bisect import bisect_right

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class ImageIds:
    """The image ids of a shard, ready to be looked up by bisection; nothing is copied if they are in order already."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._column = column
        in_order = pc.all(pc.less_equal(column.slice(0, max(0, len(column) - 1)), column.slice(1))).as_py()
        self._order = None if in_order is not False else np.asarray(pc.sort_indices(column))

    def row_of(self, image_id: str) -> int | None:
        """Return the last row of an image, None if it has none."""
        wanted = image_id.encode(errors="surrogatepass")
        end = bisect_right(range(len(self._column)), wanted, key=self._id_at)
        return self._row_at(end - 1) if end and self._id_at(end - 1) == wanted else None

    def _row_at(self, place: int) -> int:
        return place if self._order is None else int(self._order[place])

    def _id_at(self, place: int) -> bytes:
        # As bytes: Arrow, like Spark, sorts text by its UTF-8.
        return bytes(self._column[self._row_at(place)].as_buffer() or b"")
