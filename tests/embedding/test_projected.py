"""A first night makes a model of an untrained backbone, its features projected, whatever the size of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest
from pyspark.sql import functions as F
from safetensors.torch import save_file

from tests.support.photo_catalogue import Catalogue, sha256
from vsearch_lib.config import Settings, load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import features_recipe, stored_features
from vsearch_lib.encoder.network import untrained
from vsearch_lib.errors import UsageError, VsearchError
from vsearch_lib.models.load import load_model
from vsearch_lib.models.promotion import promote
from vsearch_lib.models.registry import cards, newest, recipe_of
from vsearch_lib.run.bodies import body_of
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.serving.embedding import model_of

STEPS = ("train_encoder", "embed_images", "build_index", "publish_index")


@dataclass
class Nights:
    """A catalogue of pictures, overrides of the settings, and the steps from pixels to a published index."""

    catalogue: Catalogue
    overrides: tuple[str, ...]
    lines: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return load_settings("demo", [f"var={self.catalogue.settings.var}", "gate.queries=20", *self.overrides])

    def run(self, *steps: str, retrain: bool = False) -> dict[str, float]:
        """Run the named steps, or all of `STEPS`; return their figures by name."""
        lake, figures = self.catalogue.lake, {}
        switches = {"retrain": True} if retrain else {}
        for step in steps or STEPS:
            job = StepContext(self.settings, lake, lake.run_id, say=self.lines.append)
            figures |= {figure.metric: figure.value for figure in body_of(step)(job, **switches)}
        return figures

    def searcher(self) -> Searcher:
        return Searcher.open(self.settings.index.uri, cache=self.settings.cache)


def weights_of(tmp_path, backbone: str, *, seed: int = 5, side: int | None = None) -> tuple[str, ...]:
    """Make a file of weights, and return the settings that name it."""
    file = tmp_path / f"{backbone}-{seed}.safetensors"
    state = untrained(backbone, dimension=None, seed=seed, side=side).backbone.state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, file)
    size = () if side is None else (f"model.input_size={side}",)
    return (f"model.backbone={backbone}", f"model.weights={file}", "model.dimension=16", *size)


@pytest.fixture
def nights(spark, settings, tmp_path) -> Nights:
    return Nights(Catalogue(spark, settings), weights_of(tmp_path, "small"))


def check_each_finds_itself(nights, figures, jpegs) -> None:
    assert figures["images_embedded"] == figures["index_rows"] == len(jpegs)
    # The projection was fitted to features of all public images: none goes through the network again.
    assert figures["pictures_computed"] == 0
    searcher = nights.searcher()
    hits = searcher.search(model_of(searcher.manifest).embed(list(jpegs.values())), 1)
    assert [fact["image_id"] for fact in searcher.describe(hits.ids[:, 0])] == list(jpegs)
    assert hits.scores.min() > 0.999


def test_each_picture_finds_itself_by_the_vector_of_the_registered_model(nights, draw):
    jpegs = {f"image-{seed:03d}": draw(seed) for seed in range(40)}
    nights.catalogue.land(jpegs)
    check_each_finds_itself(nights, nights.run(), jpegs)
    card = newest(nights.settings.models.uri, recipe_of(nights.settings))
    embedder = load_model(nights.settings.models.uri, card.version).embedder(batch_size=1)
    stored = nights.catalogue.vectors(card.version)
    assert set(stored) == set(jpegs)
    assert min(stored[name] @ embedder.embed([jpeg])[0] for name, jpeg in jpegs.items()) >= 0.9999
    assert np.linalg.norm(embedder.embed([draw(10_000)])) == pytest.approx(1, abs=1e-4)


def test_an_index_of_one_image_is_published_with_the_recall_of_crops_only(nights, draw):
    jpegs = {"only": draw(1)}
    nights.catalogue.land(jpegs)
    check_each_finds_itself(nights, nights.run(), jpegs)
    assert list(nights.searcher().manifest.gate.strata) == ["crop"]


def test_only_public_images_of_the_training_split_shape_the_model(nights, draw, spark, tmp_path):
    jpegs = {f"image-{seed:03d}": draw(seed) for seed in range(40)}
    nights.catalogue.land(jpegs)
    nights.catalogue.images({"image-000": "0" * 64}, visibility="private")
    nights.catalogue.images({"image-001": "1" * 64}, moderation="blocked")
    figures = nights.run("train_encoder")
    assert 18 < figures["projection_pictures"] < 37  # 72 % of the images are the training split
    backbone = newest(nights.settings.models.uri, features_recipe(recipe_of(nights.settings)))
    assert set(nights.catalogue.vectors(backbone.version)) == set(jpegs) - {"image-000", "image-001"}


def test_a_catalogue_with_only_private_images_also_gets_a_model(nights, jpegs):
    nights.catalogue.land(jpegs)
    nights.catalogue.images({name: sha256(jpeg) for name, jpeg in jpegs.items()}, visibility="private")
    figures = nights.run("train_encoder", "embed_images")
    assert (figures["projection_pictures"], figures["images_embedded"]) == (0, len(jpegs))


@pytest.mark.slow
def test_a_first_night_with_training_but_without_images_to_learn_from_is_still_searched(nights, jpegs):
    nights.overrides = (*nights.overrides, "training.depth=full", "training.epochs=1")
    nights.catalogue.land(jpegs)
    nights.catalogue.images({name: sha256(jpeg) for name, jpeg in jpegs.items()}, visibility="private")
    nights.run("build_training_examples", *STEPS)
    assert len(nights.searcher().rows) == len(jpegs)
    assert any(
        "not trained" in line and "drawn at random, because no public image is in the training split" in line
        for line in nights.lines
    )
    with pytest.raises(VsearchError, match="nothing to learn from: all images are private or outside the"):
        nights.run("build_training_examples", "train_encoder", retrain=True)


@pytest.mark.parametrize("depth", ["auto", "full"])
def test_for_a_lake_without_an_image_the_error_says_what_to_do_and_there_is_no_model(nights, depth):
    nights.overrides = (*nights.overrides, f"training.depth={depth}")
    with pytest.raises(VsearchError, match=r"the lake has no image, .*: put pictures in .*, then run vsearch run"):
        nights.run("build_training_examples", "train_encoder")
    assert newest(nights.settings.models.uri, recipe_of(nights.settings)) is None


def test_for_an_index_without_an_image_the_error_says_what_to_do(nights, jpegs):
    nights.catalogue.land(jpegs)
    nights.run("train_encoder")
    with pytest.raises(VsearchError, match="has embedded no living image: run embed_images first"):
        nights.run("build_index")
    hashes = {name: sha256(jpeg) for name, jpeg in jpegs.items()}
    nights.catalogue.images(hashes, deleted_at=datetime(2024, 5, 7, tzinfo=UTC))
    with pytest.raises(VsearchError, match="the lake has no image"):
        nights.run("build_index")


def test_a_picture_without_features_is_refused_once_and_stops_no_later_run(nights, jpegs, draw):
    nights.overrides = (*nights.overrides, "quality.max_refused_share=0.1")
    jpegs = {**jpegs, **{f"more-{seed}": draw(seed) for seed in range(50, 55)}}
    nights.catalogue.land(jpegs)
    nights.catalogue.images({"lost": "f" * 64})
    nights.run("train_encoder", "embed_images")
    backbone = newest(nights.settings.models.uri, features_recipe(recipe_of(nights.settings)))
    lake = nights.catalogue.lake
    job = StepContext(nights.settings, lake, lake.run_id, say=nights.lines.append)
    assert stored_features(job, backbone.version, lake.read("images")).count() == len(jpegs)


def test_the_features_of_a_deleted_image_and_of_its_views_are_deleted(nights, draw):
    nights.catalogue.land({f"image-{seed:03d}": draw(seed) for seed in range(6)})
    nights.run("train_encoder", "embed_images")
    backbone = newest(nights.settings.models.uri, features_recipe(recipe_of(nights.settings)))
    lake = nights.catalogue.lake
    features = lake.read("embeddings").where(F.col("model_version") == backbone.version)
    one_view = {"recipe": F.lit("{}"), "views": F.lit(1), "vectors": F.col("vector")}
    lake.upsert("view_features", features.withColumns(one_view))
    nights.catalogue.images({"image-002": "2" * 64}, deleted_at=datetime(2024, 5, 7, tzinfo=UTC))
    assert nights.run("embed_images")["embeddings_removed"] == 1
    assert "image-002" not in nights.catalogue.vectors(backbone.version)
    assert len(nights.catalogue.vectors(backbone.version)) == 5
    left = {row["image_id"] for row in lake.read("view_features").collect()}
    assert left == set(nights.catalogue.vectors(backbone.version))


def test_a_growing_catalogue_keeps_its_model_until_it_is_retrained(nights, draw):
    recipe = recipe_of(nights.settings)
    nights.catalogue.land({f"image-{seed:03d}": draw(seed) for seed in range(12)})
    nights.run()
    first = newest(nights.settings.models.uri, recipe)
    assert any("too few to choose well: run retrain once there are more" in line for line in nights.lines)
    before = nights.catalogue.vectors(first.version)
    nights.catalogue.land({f"image-{seed:03d}": draw(seed) for seed in range(12, 40)})
    nights.run()
    assert newest(nights.settings.models.uri, recipe) == first
    after = nights.catalogue.vectors(first.version)
    assert len(after) == 40
    assert all(np.array_equal(after[name], vector) for name, vector in before.items())

    nights.run("train_encoder", retrain=True)
    second = newest(nights.settings.models.uri, recipe)
    assert second.version > first.version
    assert second.training["pictures"] > first.training["pictures"]
    # The backbone is the same model, so its stored features are not computed again.
    recipes = [card.recipe for card in cards(nights.settings.models.uri)]
    assert recipes.count(features_recipe(recipe)) == 1


def test_a_model_of_another_backbone_has_no_index_before_its_promotion(nights, jpegs, tmp_path):
    nights.catalogue.land(jpegs)
    nights.run()
    first = nights.searcher().manifest
    nights.overrides = weights_of(tmp_path, "mobilenetv3_small_050", side=64)
    nights.run("train_encoder", "compare_models", *STEPS[1:])
    made = newest(nights.settings.models.uri, recipe_of(nights.settings))
    assert nights.searcher().manifest == first
    assert any(f"compare_models: {made.version}: 0 judged" in line for line in nights.lines)
    promote(nights.settings.models.uri, made, run_id="by hand", now=datetime.now(UTC))
    nights.run()
    searcher = nights.searcher()
    second = searcher.manifest
    assert second.model.version == made.version != first.model.version
    assert (second.kind, second.deltas) == ("full", ())
    assert second.rows == len(jpegs)
    embedder = model_of(second)
    for image, jpeg in jpegs.items():
        (row,) = [row for row, name in enumerate(searcher.rows["image_id"].to_pylist()) if name == image]
        assert (searcher.vectors(np.array([row])) @ embedder.embed([jpeg])[0])[0] > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["vit_tiny_patch16_224", "convnext_atto"])
def test_a_transformer_and_a_modern_convolutional_network_can_be_used(nights, draw, tmp_path, backbone):
    jpegs = {f"image-{seed:03d}": draw(seed) for seed in range(10)}
    nights.overrides = weights_of(tmp_path, backbone, side=64)
    nights.catalogue.land(jpegs)
    assert nights.run()["index_rows"] == len(jpegs)
    assert not any("runs on torch" in line for line in nights.lines)
    searcher = nights.searcher()
    hits = searcher.search(model_of(searcher.manifest).embed([jpegs["image-003"]]), 1)
    assert searcher.describe(hits.ids[0])[0]["image_id"] == "image-003"


@pytest.mark.slow
def test_a_backbone_that_openvino_cannot_run_runs_on_torch_and_this_is_reported(nights, jpegs, monkeypatch):
    import openvino

    def unsupported(*_args, **_more):
        raise RuntimeError("Check 'is_supported' failed\nat some place")

    with monkeypatch.context() as converter:
        converter.setattr(openvino, "convert_model", unsupported)
        nights.catalogue.land(jpegs)
        nights.run()
    assert any("runs on torch, slower than others: OpenVINO cannot run it: Check" in line for line in nights.lines)
    searcher = nights.searcher()
    assert "graph.xml" not in searcher.manifest.model.files
    hits = searcher.search(model_of(searcher.manifest).embed([jpegs["image-03"]]), 1)
    assert searcher.describe(hits.ids[0])[0]["image_id"] == "image-03"


def test_a_network_without_weights_and_without_training_is_refused(nights, jpegs):
    nights.catalogue.land(jpegs)
    nights.overrides = ("model.backbone=small", "model.weights=none", "training.depth=none")
    with pytest.raises(UsageError, match=r"training\.depth = none would leave .* set training\.depth = full"):
        nights.run("train_encoder")


def test_a_misspelt_backbone_is_refused_before_spark_starts(tmp_path, monkeypatch):
    from rich.console import Console

    from vsearch_lib.run import runner

    monkeypatch.setattr(runner, "spark_session", lambda *_: pytest.fail("Spark was started"))
    chosen = load_settings("demo", [f"var={tmp_path}", "model.backbone=resnet5O", "model.weights=none"])
    with pytest.raises(UsageError, match="no such backbone"):
        runner.run_graph("nightly", chosen, run_id="r", dates=None, console=Console())
