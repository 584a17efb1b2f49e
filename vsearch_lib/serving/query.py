"""A picture file → its vector, by the model that made the index."""

import io

from PIL import Image, ImageOps

from vsearch_lib.encoder.embed import embed, prepare
from vsearch_lib.encoder.registry import CARD, WEIGHTS, Model, load_model
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.images.decode import FORMATS, Limits, RefusedPicture, normalise, to_rgb
from vsearch_lib.index.manifest import Manifest, digest
from vsearch_lib.storage import open_store
from vsearch_lib.vectors import Vectors


def model_of(manifest: Manifest) -> Model:
    """Load the model that made an index, after checking that it is that model.

    Raises:
        ArtefactError: a file is missing or not the one the manifest names.
    """
    entry = manifest["model"]
    store = open_store(entry["uri"])
    for name in (WEIGHTS, CARD):
        if digest(store.read(f"{entry['version']}/{name}")) != entry["files"].get(name):
            raise ArtefactError(
                f"{entry['uri']}/{entry['version']}/{name} is not the one the index was made with: restore it"
            )
    return load_model(entry["uri"], entry["version"])


def query_vector(
    model: Model, content: bytes, limits: Limits, *, crop: tuple[int, int, int, int] | None = None
) -> Vectors:
    """Return the (1, d) vector of a picture's bytes, or of its part `crop`: x, y, width, height in upright pixels.

    Raises:
        UsageError: the bytes are not a picture that is taken, or the crop lies outside it.
    """
    try:
        if crop:
            normalise(content, limits)  # refuse what is broken or too large before opening it in full
            content = _cropped(content, crop)
        picture = normalise(content, limits)
    except RefusedPicture as refusal:
        raise UsageError(f"the query picture is refused ({refusal.reason}): {refusal}") from None
    return embed(prepare(model.encoder), [picture.jpeg], side=model.card.recipe.input_size)


def _cropped(content: bytes, crop: tuple[int, int, int, int]) -> bytes:
    x, y, width, height = crop
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content), formats=FORMATS))
    if x < 0 or y < 0 or width < 1 or height < 1 or x + width > image.width or y + height > image.height:
        raise UsageError(
            f"--crop {x},{y},{width},{height} lies outside the picture, which is {image.width} x {image.height}"
        )
    part = io.BytesIO()
    to_rgb(image).crop((x, y, x + width, y + height)).save(part, "PNG")
    return part.getvalue()
