"""`Embedder` on torch: for a GPU, and for a backbone that OpenVINO cannot run."""

import numpy as np
import torch
from numpy.typing import NDArray

from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.models.registry import Card
from vsearch_lib.models.weights import load_encoder


class TorchEmbedder(Embedder):
    """A registered network on one device, with the interface of `Embedder`.

    It computes in float32, for which current GPUs use shorter factors (TF32), because bfloat16 changes some vectors by
    more than .001 of cosine.

    Args:
        models_uri: the registry.
        card: the card of the model, which has the sha256 of its weights.
        batch_size: the number of pictures that go through the network together.
        threads: the number of processor cores that this process may use; None for all.
        device: the device as torch names it, "cpu" or "cuda:0".

    Raises:
        ArtefactError: the weights are missing, or differ from the card.
    """

    def __init__(self, models_uri: str, card: Card, *, batch_size: int, threads: int | None, device: str) -> None:
        if threads:
            torch.set_num_threads(threads)
        encoder = load_encoder(models_uri, card)
        self._device = torch.device(device)
        self._encoder = encoder.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        projection = encoder.projection
        width = projection.axes.shape[1] if projection else encoder.dimension
        self._prepare(
            card.preprocessing, projection.as_arrays() if projection else None, width=width, batch_size=batch_size
        )

    def _features(self) -> NDArray[np.float32]:
        pixels = torch.from_numpy(self._pixels).to(self._device).permute(0, 3, 1, 2)
        with torch.inference_mode():
            features: NDArray[np.float32] = self._encoder.features(pixels).float().cpu().numpy()
        return features
