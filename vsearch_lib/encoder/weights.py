"""A network's weights as safetensors: what training starts from, and what the registry keeps."""

from safetensors import SafetensorError
from safetensors.torch import load, save

from vsearch_lib.encoder.network import Encoder
from vsearch_lib.encoder.registry import WEIGHTS, Card, read_file, read_initial_weights
from vsearch_lib.errors import ArtefactError, UsageError
from vsearch_lib.storage import open_store


def load_initial_weights(encoder: Encoder, weights: str) -> None:
    """Load a backbone's safetensors file into `encoder`; the file's classifier, if any, is left out.

    Raises:
        UsageError: the file is not there, is not safetensors, or is of another architecture.
    """
    try:
        state = load(read_initial_weights(weights))
        found = {name: value for name, value in state.items() if name in encoder.backbone.state_dict()}
        encoder.backbone.load_state_dict(found, strict=True)
    except (SafetensorError, RuntimeError) as error:
        line = str(error).splitlines()[0]
        raise UsageError(f"model.weights = {weights}: does not fit model.backbone ({line})") from None


def serialise(encoder: Encoder) -> bytes:
    """Return the encoder's weights as safetensors bytes."""
    return bytes(save({name: value.contiguous() for name, value in encoder.state_dict().items()}))


def load_encoder(models_uri: str, card: Card) -> Encoder:
    """Return a registered network in evaluation mode.

    Raises:
        ArtefactError: its weights are missing, or are not what the card says.
    """
    encoder = Encoder(card.recipe.backbone, dimension=card.recipe.dimension)
    try:
        encoder.load_state_dict(load(read_file(open_store(models_uri), card, WEIGHTS)))
    except (SafetensorError, RuntimeError) as error:
        raise ArtefactError(
            f"{models_uri}/{card.version}: weights do not fit the card: {str(error).splitlines()[0]}"
        ) from None
    return encoder.eval()
