"""Features of views are computed once for each picture, stored beside those of pictures, and deleted with them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as F

from tests.support.photo_catalogue import Catalogue, sha256
from tests.support.small_model import small_graph
from vsearch_lib.context import StepContext
from vsearch_lib.embedding import view_features
from vsearch_lib.embedding.features import as_arrays, stored_features
from vsearch_lib.embedding.pending import Pending
from vsearch_lib.embedding.view_features import delete_other_views, stored_view_features, view_recipe
from vsearch_lib.embedding.views import ViewRecipe, Views
from vsearch_lib.encoder.network import untrained
from vsearch_lib.erasure.erase import erase
from vsearch_lib.examples.boxes import PRIOR, Boxes
from vsearch_lib.maintenance.step import maintain_tables
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe

RECIPE = ViewRecipe.of(PRIOR)
BACKBONE, WIDTH = "m0", 256


@pytest.fixture
def made(spark, settings, draw) -> Catalogue:
    """Six images with features of their own; the last two have the same picture."""
    catalogue = Catalogue(spark, settings)
    encoder = untrained("small", dimension=None, seed=1)
    recipe = Recipe("small", "none", None, None, "none")
    register(settings.models.uri, encoder, version=BACKBONE, recipe=recipe, run_id="r", graph=small_graph(seed=1))
    catalogue.land({f"image-{i}": draw(min(i, 4)) for i in range(6)})
    stored_features(context(catalogue), BACKBONE, catalogue.lake.read("images")).count()
    return catalogue


def context(catalogue: Catalogue, **embedding: int) -> StepContext:
    lake = catalogue.lake
    settings = catalogue.settings
    settings = settings.model_copy(update={"embedding": settings.embedding.model_copy(update=embedding)})
    return StepContext(settings=settings, lake=lake, run_id=lake.run_id, say=lambda _: None)


def vectors(catalogue: Catalogue, views: Views, **embedding: int) -> dict[str, np.ndarray]:
    images = catalogue.lake.read("images").select("image_id", "sha256")
    rows = stored_view_features(context(catalogue, **embedding), BACKBONE, images, views)
    names, values = as_arrays(rows, "image_id", width=views.count * WIDTH)
    return dict(zip(names, values.reshape(len(names), views.count, WIDTH), strict=True))


def assert_same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_allclose(first[name], second[name], atol=1e-5)


def test_views_are_computed_once_and_only_for_pictures_that_have_none(made, draw, monkeypatch):
    first = vectors(made, Views(RECIPE, 2))
    assert set(first) == {f"image-{i}" for i in range(6)}
    np.testing.assert_array_equal(first["image-4"], first["image-5"])
    version = made.lake.version("view_features")
    computed = counted(monkeypatch)

    assert_same(vectors(made, Views(RECIPE, 2)), first)
    fewer = vectors(made, Views(RECIPE, 1))
    assert_same(fewer, {name: one[:1] for name, one in first.items()})
    assert computed == []
    assert made.lake.version("view_features") == version

    made.land({"new": draw(50)})
    stored_features(context(made), BACKBONE, made.lake.read("images")).count()
    computed.clear()
    assert set(vectors(made, Views(RECIPE, 2))) == {*first, "new"}
    assert computed == [1]


def counted(monkeypatch) -> list[int]:
    """Note the number of pictures of which views are computed from now on."""
    pictures, embed = [], view_features.embed_pixels

    def note(*arguments):
        embedded = embed(*arguments)
        pictures.append(embedded.pictures)
        return embedded

    monkeypatch.setattr(view_features, "embed_pixels", note)
    return pictures


def test_views_do_not_depend_on_how_pictures_are_divided_among_tasks(made):
    first = vectors(made, Views(RECIPE, 2), images_per_task=100)
    delete_other_views(made.lake, "none", RECIPE)
    assert made.lake.read("view_features").isEmpty()
    assert_same(vectors(made, Views(RECIPE, 2), images_per_task=2, batch_size=3), first)


def test_more_views_begin_with_the_fewer_ones(made):
    first = vectors(made, Views(RECIPE, 1))
    more = vectors(made, Views(RECIPE, 3))
    assert_same({name: one[:1] for name, one in more.items()}, first)
    assert made.lake.read("view_features").count() == 6


def test_the_next_run_uses_the_views_of_an_interrupted_run(made, monkeypatch):
    with monkeypatch.context() as cut:
        cut.setattr(view_features, "check_unchanged", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            vectors(made, Views(RECIPE, 2), images_per_task=2)
    pending = Pending(made.lake, f"{BACKBONE}-{Views(RECIPE, 2).name}")
    files = pending.files()
    assert len(files) == 5  # a picture of two views each
    Path(f"{pending.uri}/{files[0]}").unlink()
    computed = counted(monkeypatch)
    assert len(vectors(made, Views(RECIPE, 2))) == 6
    assert computed == [1]
    assert pending.files() == []


def test_an_image_of_which_a_picture_cannot_be_decoded_has_no_views_and_stops_no_run(made):
    made.pixels([b"\xff\xd8\xff\xe0 cut"], ["b" * 64])
    made.images({"broken": "b" * 64})
    assert "broken" not in vectors(made, Views(RECIPE, 1))


def test_an_image_whose_views_fail_is_learnt_from_as_is(made):
    """Its own features were computed from pixels that have been damaged since."""
    lake = made.lake
    digest = lake.read("images").where("image_id = 'image-0'").collect()[0]["sha256"]
    lake.delete("image_pixels", F.col("sha256") == digest)
    lines: list[str] = []
    job = context(made)
    quality = job.settings.quality.model_copy(update={"max_refused_share": 0.2})
    job = StepContext(job.settings.model_copy(update={"quality": quality}), job.lake, job.run_id, say=lines.append)
    for _ in range(2):  # the second time it is all that is missing, and still a sixth of the images
        rows = stored_view_features(job, BACKBONE, lake.read("images"), Views(RECIPE, 1))
        assert sorted(row["image_id"] for row in rows.collect()) == [f"image-{i}" for i in range(1, 6)]
    assert lines == ["train_encoder: 1 of 6 images have no features of views and are learnt from as is"] * 2


def test_an_erased_image_has_no_views(made):
    vectors(made, Views(RECIPE, 1))
    assert erase(made.lake, "image", "image-1").rows["view_features"] == 1
    left = {row["image_id"] for row in made.lake.read("view_features").collect()}
    assert left == {f"image-{i}" for i in range(6)} - {"image-1"}


def test_the_views_of_a_deleted_image_are_deleted_with_its_features(made):
    made.model("m1")
    made.embed()
    vectors(made, Views(RECIPE, 1))
    made.images({"image-2": sha256(b"any")}, deleted_at=datetime(2024, 5, 7, tzinfo=UTC))
    made.embed()
    assert "image-2" not in {row["image_id"] for row in made.lake.read("view_features").collect()}


def test_views_of_other_recipes_and_backbones_are_deleted(made):
    other = ViewRecipe.of(Boxes(100, (0.5,) * 21, (0.0,) * 21))
    vectors(made, Views(RECIPE, 1))
    assert delete_other_views(made.lake, BACKBONE, RECIPE) == 0
    vectors(made, Views(other, 1))
    assert {row["recipe"] for row in made.lake.read("view_features").collect()} == {other.text}
    assert delete_other_views(made.lake, BACKBONE, RECIPE) == 6
    vectors(made, Views(RECIPE, 1))
    assert delete_other_views(made.lake, "m9", RECIPE) == 6


def test_a_stored_recipe_is_used_for_boxes_that_are_almost_the_same(made):
    def drawn(side: float) -> Boxes:
        return Boxes(100, (side,) * 21, (0.0,) * 21)

    first = view_recipe(made.lake, BACKBONE, drawn(0.5))
    assert first == ViewRecipe.of(drawn(0.5))
    vectors(made, Views(first, 1))
    assert view_recipe(made.lake, BACKBONE, drawn(0.52)) == first
    assert view_recipe(made.lake, BACKBONE, drawn(0.6)) == ViewRecipe.of(drawn(0.6))
    assert view_recipe(made.lake, "m9", drawn(0.52)) == ViewRecipe.of(drawn(0.52))


@pytest.mark.parametrize(("views", "left"), [(0, 0), (1, 6)])
def test_maintenance_deletes_views_that_no_training_is_to_use(made, views, left):
    vectors(made, Views(RECIPE, 1))
    job = context(made)
    training = job.settings.training.model_copy(update={"views": views})
    maintain_tables(StepContext(job.settings.model_copy(update={"training": training}), job.lake, job.run_id, print))
    assert made.lake.read("view_features").count() == left
