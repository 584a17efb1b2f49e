"""A picture file gets the same vector as its stored form, or is refused in one line."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vsearch_lib.artefact.files import StoredFile
from vsearch_lib.artefact.manifest import Manifest, ModelEntry
from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.network import untrained
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.images.decode import Limits, normalise
from vsearch_lib.models.registration import register, to_graph
from vsearch_lib.models.registry import Recipe
from vsearch_lib.serving.query import model_of, query_jpeg

LIMITS = Limits(max_bytes=1_000_000, max_pixels=1_000_000, min_side=16, size=64)


@pytest.fixture(scope="module")
def model() -> Embedder:
    encoder = untrained("small", dimension=16, seed=3, side=32)
    projection = encoder.projection.as_arrays()
    return Embedder(to_graph(encoder), encoder.preprocessing, projection, batch_size=1)


def blocks(width: int = 96, height: int = 64, seed: int = 1) -> Image.Image:
    grain = np.random.default_rng(seed).integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    return Image.fromarray(np.kron(grain, np.ones((16, 16, 1), dtype=np.uint8)))


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum())


def test_a_query_has_the_vector_of_the_stored_picture(model):
    content = encoded(blocks())
    stored = model.embed([normalise(content, LIMITS).jpeg])
    assert cosine(model.embed([query_jpeg(content, LIMITS)]), stored) > 0.9999


def test_a_crop_has_the_same_vector_as_that_part_saved_as_a_picture(model):
    picture = blocks()
    part = model.embed([query_jpeg(encoded(picture.crop((32, 16, 80, 64))), LIMITS)])
    assert cosine(model.embed([query_jpeg(encoded(picture), LIMITS, crop=(32, 16, 48, 48))]), part) > 0.9999
    assert cosine(model.embed([query_jpeg(encoded(picture), LIMITS)]), part) < 0.9999


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "JPEG without its end marker"])
def test_a_query_or_crop_may_have_any_format_that_can_be_ingested(model, kind):
    picture = blocks()
    content = encoded(picture, kind) if kind in ("HEIF", "AVIF") else encoded(picture, "JPEG")[:-2]
    assert (
        cosine(model.embed([query_jpeg(content, LIMITS)]), model.embed([query_jpeg(encoded(picture), LIMITS)])) > 0.99
    )
    part = model.embed([query_jpeg(encoded(picture.crop((32, 16, 80, 64))), LIMITS)])
    assert cosine(model.embed([query_jpeg(content, LIMITS, crop=(32, 16, 48, 48))]), part) > 0.99


def test_a_crop_is_counted_in_the_upright_picture(model):
    picture = blocks()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    content = encoded(picture, "PNG", exif=exif)
    upright = picture.rotate(-90, expand=True)
    expected = model.embed([query_jpeg(encoded(upright.crop((16, 48, 64, 96))), LIMITS)])
    assert cosine(model.embed([query_jpeg(content, LIMITS, crop=(16, 48, 48, 48))]), expected) > 0.9999


def see_through() -> Image.Image:
    """A picture that is half transparent: its stored form is white there, whatever colour the file has."""
    picture = blocks().convert("RGBA")
    picture.paste((255, 0, 0, 0), (0, 0, 48, 64))
    return picture


def sixteen_bit() -> Image.Image:
    ramp = np.kron(np.arange(24, dtype=np.uint16).reshape(4, 6) * 2700, np.ones((16, 16), dtype=np.uint16))
    return Image.fromarray(ramp)


@pytest.mark.parametrize(
    "picture", [see_through, sixteen_bit, lambda: blocks().convert("P"), lambda: blocks().convert("L")]
)
def test_a_crop_of_the_whole_picture_has_the_same_vector_in_every_colour_mode(model, picture):
    content = encoded(picture())
    whole = model.embed([query_jpeg(content, LIMITS)])
    assert cosine(model.embed([query_jpeg(content, LIMITS, crop=(0, 0, 96, 64))]), whole) > 0.9999


@pytest.mark.parametrize(
    "crop",
    [(-1, 0, 20, 20), (0, -1, 20, 20), (77, 0, 20, 20), (0, 45, 20, 20), (0, 0, 97, 64), (0, 0, 0, 0), (5, 5, 20, -3)],
)
def test_a_crop_outside_the_picture_is_refused_with_its_size(crop):
    with pytest.raises(UsageError, match="lies outside the picture, which is 96 x 64"):
        query_jpeg(encoded(blocks()), LIMITS, crop=crop)


@pytest.mark.parametrize("crop", [None, (0, 0, 20, 20)])
@pytest.mark.parametrize(
    "content", [b"", b"text", encoded(blocks())[:300], b"\xff\xd8\xff\xe0 cut", b"x" * 1_000_001], ids=range(5)
)
def test_a_file_that_is_not_a_picture_is_refused_in_one_line(content, crop):
    with pytest.raises(UsageError, match="the query picture is refused") as refused:
        query_jpeg(content, LIMITS, crop=crop)
    assert "\n" not in str(refused.value)


def test_a_large_crop_is_not_refused_for_its_bytes(model):
    """The limit is for files, and a crop is not a file: as a PNG it would be larger than its photo."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8))
    photo = encoded(noise, "JPEG", quality=50)
    limits = Limits(max_bytes=100_000, max_pixels=1_000_000, min_side=16, size=64)
    assert model.embed([query_jpeg(photo, limits, crop=(10, 10, 280, 280))]).shape == (1, 16)


def test_a_crop_that_is_too_small_is_refused(model):
    with pytest.raises(UsageError, match="too_small"):
        model.embed([query_jpeg(encoded(blocks()), LIMITS, crop=(0, 0, 15, 40))])


@pytest.fixture
def registered(small_index, tmp_path) -> tuple[Path, Manifest]:
    encoder = untrained("small", dimension=16, seed=3, side=32)
    register(str(tmp_path), encoder, version="m1", recipe=Recipe("small", "none", 16, 32, "full"), run_id="run-1")
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (tmp_path / "m1").iterdir()}
    file = StoredFile("template.faiss", "0" * 64, 0)
    manifest = small_index.manifest(file, file, [])
    return tmp_path / "m1", replace(manifest, model=ModelEntry("m1", str(tmp_path), files))


def test_the_model_of_an_index_is_loaded(registered):
    assert model_of(registered[1]).dimension == 16


@pytest.mark.parametrize("name", ["card.json", "graph.xml", "graph.bin"])
@pytest.mark.parametrize("damage", ["changed", "removed"])
def test_a_changed_or_missing_file_of_the_model_is_named(registered, name, damage):
    folder, manifest = registered
    if damage == "removed":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(ArtefactError, match=name):
        model_of(manifest)
