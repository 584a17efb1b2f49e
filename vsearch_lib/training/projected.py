"""Makes a model without training: the backbone's features, projected to their principal axes."""

from dataclasses import replace

from vsearch_lib.context import StepContext
from vsearch_lib.embedding.projected import fit_projection, sample_features, save_projected
from vsearch_lib.encoder.network import Encoder
from vsearch_lib.figures import Figure
from vsearch_lib.models.load import load_model
from vsearch_lib.models.promotion import version_in_use
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Card, Recipe
from vsearch_lib.run_ids import version_of


def make_projected(context: StepContext, encoder: Encoder, recipe: Recipe, backbone: Card) -> list[Figure]:
    """Register `encoder` with a projection fitted to features of the catalogue; return its figures."""
    models_uri, seed = context.settings.models.uri, context.settings.training.seed
    sample = sample_features(context, backbone, seed=seed)
    fitted = fit_projection(sample, dimension=encoder.dimension, seed=seed)
    assert encoder.projection is not None  # every recipe except the backbone's has a dimension
    encoder.projection.set_to(fitted.projection)
    card = register(
        models_uri,
        encoder,
        version=version_of(context.run_id, after=backbone.version),
        # Settings that ask for training get it from a later retraining: until then, this is the model of their recipe.
        recipe=replace(recipe, training="none") if recipe.training == "auto" else recipe,
        run_id=context.run_id,
        training={"pictures": fitted.pictures, "variance_kept": round(fitted.variance_kept, 4), "seed": seed},
        parent=version_in_use(context.settings),
        graph=load_model(models_uri, backbone.version).graph,
        say=context.say,
    )
    save_projected(context, card.version, fitted.projection, sample)
    context.made["model"] = card.version
    pictures = f"{fitted.pictures} picture{'' if fitted.pictures == 1 else 's'}"
    if not fitted.pictures:
        about = "drawn at random, because no public image is in the training split: run retrain once there are more"
    elif fitted.pictures < encoder.dimension:
        about = f"chosen from {pictures}, too few to choose well: run retrain once there are more"
    else:
        about = f"that keep {fitted.variance_kept:.0%} of the variance of {pictures}"
    context.say(
        f"train_encoder: {card.version} is {recipe.backbone}, not trained, projected to {encoder.dimension} "
        f"dimensions {about}"
    )
    return [
        Figure("projection_pictures", fitted.pictures, subject=f"model {card.version}"),
        Figure("projection_variance_kept", fitted.variance_kept, subject=f"model {card.version}", n=fitted.pictures),
    ]
