"""A picture file → its vector, by the model of the index."""

import stat
from pathlib import Path

from vsearch_lib.artefact.content import digest
from vsearch_lib.artefact.manifest import Manifest
from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.errors import ArtefactError, InvalidArgument, UsageError
from vsearch_lib.images.crop import Box, OutsidePicture, crop_jpeg
from vsearch_lib.images.decode import Limits, RefusedPicture, normalise
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registry import CARD
from vsearch_lib.storage import open_store


def model_of(manifest: Manifest) -> Embedder:
    """Load the model of an index, after checking that it is the one that the manifest names.

    Raises:
        ArtefactError: a file of the model is missing or has another sha256.
    """
    entry = manifest.model
    if digest(open_store(entry.uri).read(f"{entry.version}/{CARD}")) != entry.files.get(CARD):
        raise ArtefactError(
            f"{entry.uri}/{entry.version}/{CARD} is not the one that the index was built with: restore it"
        )
    return load_model(entry.uri, entry.version).embedder(batch_size=1)


def read_query(file: Path, limits: Limits) -> bytes:
    """Return the bytes of a query file.

    Raises:
        InvalidArgument: the file does not exist, is not a regular file, is too large, or may not be read.
    """
    try:
        status = file.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InvalidArgument("image", f"{file}: this is a folder; give a picture file")
        # Reading a pipe could wait for ever.
        if not stat.S_ISREG(status.st_mode):
            raise InvalidArgument("image", f"{file}: this is not a regular file; give a picture file")
        if status.st_size > limits.max_bytes:
            raise InvalidArgument(
                "image",
                f"{file}: {status.st_size} bytes, and image.max_bytes is {limits.max_bytes}; give a smaller one",
            )
        return file.read_bytes()
    except FileNotFoundError:
        raise InvalidArgument("image", f"{file}: no such file; give a picture file") from None
    except (OSError, ValueError) as error:
        raise InvalidArgument("image", f"{file}: {str(getattr(error, 'strerror', error)).lower()}") from None


def query_jpeg(content: bytes, limits: Limits, *, crop: Box | None = None) -> bytes:
    """Return a picture, or its part `crop`, in the form that is embedded.

    Raises:
        UsageError: the picture is refused, or the crop lies outside it.
    """
    try:
        return crop_jpeg(content, crop, limits) if crop else normalise(content, limits).jpeg
    except OutsidePicture as error:
        raise InvalidArgument("crop", str(error)) from None
    except RefusedPicture as refusal:
        raise UsageError(f"the query picture is refused ({refusal.reason}): {refusal}") from None
