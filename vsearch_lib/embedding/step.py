"""Embed every living image that the current model has not embedded yet, and delete the vectors of other images."""

from pyspark.sql import functions as F

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.features import features_model
from vsearch_lib.embedding.store import embed_and_store, embedded_figures
from vsearch_lib.embedding.work import pixel_sources, refused_before, work_to_do
from vsearch_lib.figures import Figure
from vsearch_lib.lake.changes import load_read_positions, position, save_read_positions
from vsearch_lib.models.promotion import current_model

TABLES = ("images", "image_pixels")


def embed_images(context: StepContext, *, retry: bool = False) -> list[Figure]:
    """Bring `embeddings` of the model in use up to date with `images`."""
    lake, maintenance = context.lake, context.settings.maintenance
    card = current_model(context.settings)
    version = card.version
    reader = f"embed_images-{version}"
    now = {table: current for table in TABLES if (current := position(lake, table))}
    # Older changes may have gone from the tables' history.
    within_hours = maintenance.retention_hours - maintenance.longest_reader_hours
    compare_all = retry or not lake.exists("embeddings")
    since = {} if compare_all else load_read_positions(lake, reader, within_hours=within_hours)
    if len(now) < len(TABLES) or since == now:
        return [*embedded_figures(version, 0, 0), _removed(version, 0)]
    work = refused_before(lake, version) if retry else work_to_do(lake, version, since.get("images"), now["images"])
    sources = pixel_sources(lake, since.get("image_pixels"), now["image_pixels"])
    embedded = embed_and_store(context, version, work.to_embed, sources)
    removed = lake.delete_keys("embeddings", work.to_delete)
    backbone = features_model(context.settings.models.uri, card.recipe)
    if backbone and not work.to_delete.isEmpty():
        features = work.to_delete.withColumn("model_version", F.lit(backbone.version))
        lake.delete_keys("embeddings", features)
        lake.delete_keys("view_features", features)
    if not retry:
        save_read_positions(lake, reader, now)
    return [*embedded, _removed(version, removed)]


def _removed(version: str, count: int) -> Figure:
    return Figure("embeddings_removed", count, subject=f"model {version}")
