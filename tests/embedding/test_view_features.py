"""Features of views are computed once for each picture, stored beside those of pictures, and deleted with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as F

from tests.support.photo_catalogue import BROKEN, Catalogue, sha256
from tests.support.small_model import SMALL, small_graph
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.embedding import view_features
from vsearch_lib.embedding.features import as_arrays, stored_features
from vsearch_lib.embedding.pending import Pending
from vsearch_lib.embedding.view_features import delete_other_views, stored_view_features, view_recipe
from vsearch_lib.embedding.views import ViewRecipe, Views
from vsearch_lib.encoder.network import untrained
from vsearch_lib.erasure.erase import erase
from vsearch_lib.errors import GateRefused
from vsearch_lib.examples.boxes import PRIOR, Boxes
from vsearch_lib.maintenance.step import maintain_tables
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe

RECIPE = ViewRecipe.of(PRIOR)
BACKBONE, WIDTH = "m0", 256


@pytest.fixture(scope="module")
def made(spark, tmp_path_factory, draw) -> Catalogue:
    """Six images with features of their own; the last two have the same picture. Tests add, erase, and store views."""
    catalogue = Catalogue(spark, load_settings("demo", [f"var={tmp_path_factory.mktemp('views')}", *SMALL]))
    encoder, models = untrained("small", dimension=None, seed=1), catalogue.settings.models.uri
    recipe = Recipe("small", "none", None, None, "none")
    register(models, encoder, version=BACKBONE, recipe=recipe, run_id="r", graph=small_graph(seed=1))
    catalogue.land({f"image-{i}": draw(min(i, 4)) for i in range(6)})
    own_features(catalogue)
    return catalogue


def own_features(catalogue: Catalogue) -> set[str]:
    """Store the features of images that have none, and return which have some."""
    rows = stored_features(context(catalogue), BACKBONE, catalogue.lake.read("images"))
    return {row["image_id"] for row in rows.select("image_id").collect()}


def context(catalogue: Catalogue, **embedding: int) -> StepContext:
    lake, settings = catalogue.lake, catalogue.settings
    changed = {
        "embedding": settings.embedding.model_copy(update=embedding),
        "quality": settings.quality.model_copy(update={"max_refused_share": 0.6}),
    }
    return StepContext(settings.model_copy(update=changed), lake, lake.run_id, say=lambda _: None)


def vectors(catalogue: Catalogue, views: Views, **embedding: int) -> dict[str, np.ndarray]:
    images = catalogue.lake.read("images").select("image_id", "sha256")
    rows = stored_view_features(context(catalogue, **embedding), BACKBONE, images, views)
    names, values = as_arrays(rows, "image_id", width=views.count * WIDTH)
    return dict(zip(names, values.reshape(len(names), views.count, WIDTH), strict=True))


def drawn(side: float) -> Boxes:
    """Boxes that are all of one size."""
    return Boxes(100, (side,) * 21, (0.0,) * 21)


def assert_same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_allclose(first[name], second[name], atol=1e-5)


def test_views_are_computed_once_and_only_for_pictures_that_have_none(made, draw, monkeypatch):
    computed = counted(monkeypatch)
    first = vectors(made, Views(RECIPE, 1))
    assert set(first) == {f"image-{i}" for i in range(6)}
    assert computed == [5]
    np.testing.assert_array_equal(first["image-4"], first["image-5"])
    version = made.lake.version("view_features")
    assert_same(vectors(made, Views(RECIPE, 1)), first)
    assert computed == [5]
    assert made.lake.version("view_features") == version

    made.land({"new": draw(50)})
    own_features(made)
    assert set(vectors(made, Views(RECIPE, 1))) == {*first, "new"}
    assert computed == [5, 1]


def counted(monkeypatch) -> list[int]:
    """Note the number of pictures of which views are computed from now on."""
    pictures, embed = [], view_features.embed_pixels

    def note(*arguments):
        embedded = embed(*arguments)
        pictures.append(embedded.pictures)
        return embedded

    monkeypatch.setattr(view_features, "embed_pixels", note)
    return pictures


def test_views_depend_neither_on_their_number_nor_on_how_pictures_are_divided_among_tasks(made):
    more = vectors(made, Views(RECIPE, 3), images_per_task=100)
    fewer = {name: one[:2] for name, one in more.items()}
    assert_same(vectors(made, Views(RECIPE, 2)), fewer)
    assert delete_other_views(made.lake, "none", RECIPE) == len(more)
    assert_same(vectors(made, Views(RECIPE, 2), images_per_task=2, batch_size=3), fewer)


def test_the_next_run_uses_the_views_of_an_interrupted_run(made, monkeypatch):
    recipe, names = ViewRecipe.of(drawn(0.9)), own_features(made)
    pictures = made.lake.read("images").select("sha256").distinct().count()
    with monkeypatch.context() as cut:
        cut.setattr(view_features, "check_unchanged", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            vectors(made, Views(recipe, 2), images_per_task=2)
    pending = Pending(made.lake, f"{BACKBONE}-{Views(recipe, 2).name}")
    files = pending.files()
    assert len(files) == pictures  # two views each, of a picture
    Path(f"{pending.uri}/{files[0]}").unlink()
    computed = counted(monkeypatch)
    assert set(vectors(made, Views(recipe, 2))) == names
    assert computed == [1]
    assert pending.files() == []


def test_pictures_without_views_are_reported_and_stop_no_run(made, draw):
    """One never had features; the pixels of another were lost after its own features were computed."""
    lake = made.lake
    made.land({"lost": draw(60)})
    made.pixels([BROKEN], ["b" * 64])
    made.images({"broken": "b" * 64})
    names = own_features(made)
    assert "broken" not in names
    lake.delete("image_pixels", F.col("sha256") == sha256(draw(60)))
    lines: list[str] = []
    job = context(made)
    for _ in range(2):  # the second time it is all that is missing, but still a small share of the images
        job = StepContext(job.settings, job.lake, job.run_id, say=lines.append)
        rows = stored_view_features(job, BACKBONE, lake.read("images"), Views(RECIPE, 1))
        assert {row["image_id"] for row in rows.collect()} == names - {"lost"}
    told = f"train_encoder: 1 of {len(names)} images have no features of views and are learnt from as is"
    assert lines == [told, told]
    strict = job.settings.quality.model_copy(update={"max_refused_share": 0.01})
    job = StepContext(job.settings.model_copy(update={"quality": strict}), job.lake, job.run_id, say=lines.append)
    with pytest.raises(GateRefused, match=r"view_features: 1 of .*\(missing_pixels: 1;"):
        stored_view_features(job, BACKBONE, lake.read("images"), Views(RECIPE, 1))


def test_an_erased_image_has_no_views(made):
    assert "image-1" in vectors(made, Views(RECIPE, 1))
    assert erase(made.lake, "image", "image-1").rows["view_features"] == 1
    assert "image-1" not in {row["image_id"] for row in made.lake.read("view_features").collect()}


def test_views_of_boxes_that_are_almost_the_same_are_used_and_all_others_deleted(made):
    first = ViewRecipe.of(drawn(0.5))
    count = len(vectors(made, Views(first, 1)))
    assert view_recipe(made.lake, BACKBONE, drawn(0.52)) == first
    assert view_recipe(made.lake, BACKBONE, drawn(0.6)) == ViewRecipe.of(drawn(0.6))
    assert view_recipe(made.lake, "m9", drawn(0.52)) == ViewRecipe.of(drawn(0.52))
    assert delete_other_views(made.lake, BACKBONE, first) == 0
    assert delete_other_views(made.lake, BACKBONE, RECIPE) == count


def test_maintenance_deletes_views_only_if_no_training_uses_any(made, monkeypatch):
    monkeypatch.setattr("vsearch_lib.maintenance.step.table_names", list)  # no table is to be compacted
    stored = len(vectors(made, Views(RECIPE, 1)))
    job = context(made)
    for views, left in ((1, stored), (0, 0)):
        training = job.settings.training.model_copy(update={"views": views})
        settings = job.settings.model_copy(update={"training": training})
        maintain_tables(StepContext(settings, job.lake, job.run_id, say=lambda _: None))
        assert made.lake.read("view_features").count() == left
