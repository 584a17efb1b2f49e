"""`Embedder` by torch: on a GPU, and of a backbone that OpenVINO cannot run."""

import numpy as np
import torch
from numpy.typing import NDArray

from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.models.registry import Card
from vsearch_lib.models.weights import load_encoder


class TorchEmbedder(Embedder):
    """A registered network on one device; what it is called with, and what it answers, is `Embedder`'s.

    It computes in float32, which current GPUs do with shorter factors (TF32): bfloat16 changes some vectors by more
    than .001 of cosine.

    Args:
        models_uri: the registry.
        card: of the model, whose weights are checked by it.
        batch_size: pictures that go through the network together.
        threads: processor cores that this process may use; None for all.
        device: as torch names it, "cpu" or "cuda:0".

    Raises:
        ArtefactError: the weights are missing, or are not what the card says.
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
