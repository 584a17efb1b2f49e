"""Features of random views of images, which Spark tasks compute once and store in `view_features`.

Only views of one recipe under one backbone are kept, those of the last training that used views.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.pending import Pending
from vsearch_lib.embedding.store import embed_pixels, refusals
from vsearch_lib.embedding.views import ViewRecipe, Views
from vsearch_lib.embedding.work import with_hashes, without_vector
from vsearch_lib.examples.boxes import Boxes
from vsearch_lib.lake import Lake
from vsearch_lib.models.load import check_unchanged, load_model
from vsearch_lib.quarantine.share import check_refused_share
from vsearch_lib.spark.checkpoint import checkpointed


def view_recipe(lake: Lake, version: str, boxes: Boxes) -> ViewRecipe:
    """Return the recipe of views that show what `boxes` do: a stored one if it is alike, so that its views are used.

    The boxes that people draw differ a little each week, and each new recipe needs new views of all pictures.

    Args:
        lake: has the stored views.
        version: of the backbone's model.
        boxes: of the training's snapshot.
    """
    wanted = ViewRecipe.of(boxes)
    rows = lake.read("view_features").where(F.col("model_version") == version).select("recipe").distinct().collect()
    stored = [ViewRecipe.read(text) for text in sorted(row["recipe"] for row in rows)]
    return wanted if wanted in stored else next(filter(wanted.is_like, stored), wanted)


def stored_view_features(context: StepContext, version: str, images: DataFrame, views: Views) -> DataFrame:
    """Return image_id, sha256 and vector, the unit features of all `views` one after another, of some of `images`.

    Those that are missing are computed and stored. Images without features of their own have none of views, and neither
    have images of which a view has no features.

    Args:
        context: of the step.
        version: the version of the backbone's model.
        images: image_id and sha256.
        views: which views.

    Raises:
        GateRefused: more than `quality.max_refused_share` of the images have no features of views; none was stored.
    """
    own = context.lake.read("embeddings").where(F.col("model_version") == version).select("image_id", "sha256")
    images = checkpointed(own.join(images.select("image_id", "sha256"), ["image_id", "sha256"], "left_semi"))
    missing = checkpointed(without_vector(images, _stored(context.lake, version, views)))
    if not missing.isEmpty():
        _compute(context, version, missing, views, images=images.count())
    return _stored(context.lake, version, views).join(images, ["image_id", "sha256"], "left_semi")


def delete_other_views(lake: Lake, version: str, recipe: ViewRecipe) -> int:
    """Delete views of other recipes and of other backbones, which the last training does not use; return how many."""
    used = (F.col("model_version") == version) & (F.col("recipe") == recipe.text)
    return lake.delete("view_features", ~used)


def _stored(lake: Lake, version: str, views: Views) -> DataFrame:
    rows = lake.read("view_features").where((F.col("model_version") == version) & (F.col("views") >= views.count))
    length = (F.size("vectors") / F.col("views") * views.count).cast("int")
    return rows.where(F.col("recipe") == views.recipe.text).select(
        "image_id", "sha256", F.slice("vectors", F.lit(1), length).alias("vector")
    )


def _compute(context: StepContext, version: str, missing: DataFrame, views: Views, *, images: int) -> None:
    """Compute and store the views of `missing` (image_id, sha256), which are among so many images."""
    lake, models_uri = context.lake, context.settings.models.uri
    model, pending = load_model(models_uri, version), Pending(lake, f"{version}-{views.name}")
    hashes = missing.select("sha256").distinct()
    hashes = checkpointed(hashes.join(pending.read(pending.files()), "sha256", "left_anti"))
    pixels, count = lake.read("image_pixels").select("sha256", "jpeg"), hashes.count()
    computed = embed_pixels(context, model, with_hashes(pixels, hashes, count), pending.uri, count, views)
    check_unchanged(models_uri, model.card)
    files = pending.files()
    vectors = pending.read(files)
    refused = None
    if computed.refused or computed.pictures < count:
        refused = refusals(missing, vectors, [computed])
    without = 0 if refused is None else refused.count()
    # Not of the missing ones: images without views are missing each time, and would then be all that is missing.
    check_refused_share(context, "view_features", refused, landed=images, count=without)
    if without:
        context.say(f"train_encoder: {without} of {images} images have no features of views and are learnt from as is")
    rows = missing.join(vectors, "sha256").withColumnRenamed("vector", "vectors")
    values = {"model_version": version, "recipe": views.recipe.text, "views": views.count}
    rows = rows.withColumns({name: F.lit(value) for name, value in values.items()})
    lake.upsert(
        "view_features",
        rows,
        when="new.sha256 != old.sha256 OR new.recipe != old.recipe OR new.views > old.views",
    )
    pending.remove(files)
