"""A picture file → its vector, by the model that made the index."""

import io

from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.registry import CARD, load_model
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.images.decode import Limits, RefusedPicture, normalise, upright_rgb
from vsearch_lib.index.manifest import Manifest, digest
from vsearch_lib.storage import open_store
from vsearch_lib.vectors import Vectors


def model_of(manifest: Manifest) -> Embedder:
    """Load the model that made an index, after checking that it is that model.

    Raises:
        ArtefactError: a file is missing or not the one the manifest names.
    """
    entry = manifest["model"]
    if digest(open_store(entry["uri"]).read(f"{entry['version']}/{CARD}")) != entry["files"].get(CARD):
        raise ArtefactError(
            f"{entry['uri']}/{entry['version']}/{CARD} is not the one the index was made with: restore it"
        )
    return load_model(entry["uri"], entry["version"]).embedder(batch_size=1)


def query_vector(
    model: Embedder, content: bytes, limits: Limits, *, crop: tuple[int, int, int, int] | None = None
) -> Vectors:
    """Return the (1, d) vector of a picture's bytes, or of its part `crop`: x, y, width, height in upright pixels.

    Raises:
        UsageError: the bytes are not a picture that is taken, or the crop lies outside it.
    """
    try:
        if crop:
            content = _cropped(content, limits, crop)
        picture = normalise(content, limits)
    except RefusedPicture as refusal:
        raise UsageError(f"the query picture is refused ({refusal.reason}): {refusal}") from None
    return model.embed([picture.jpeg])


def _cropped(content: bytes, limits: Limits, crop: tuple[int, int, int, int]) -> bytes:
    x, y, width, height = crop
    image = upright_rgb(content, limits)
    if x < 0 or y < 0 or width < 1 or height < 1 or x + width > image.width or y + height > image.height:
        raise UsageError(
            f"--crop {x},{y},{width},{height} lies outside the picture, which is {image.width} x {image.height}"
        )
    part = io.BytesIO()
    image.crop((x, y, x + width, y + height)).save(part, "PNG")
    return part.getvalue()
