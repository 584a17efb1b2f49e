"""`Embedder` on a GPU, by torch and in bfloat16."""

import numpy as np
import torch
from numpy.typing import NDArray

from vsearch_lib.encoder.embed import Embedder
from vsearch_lib.encoder.registry import Card
from vsearch_lib.encoder.weights import load_encoder


class GpuEmbedder(Embedder):
    """A registered network on one device; what it is called with, and what it answers, is `Embedder`'s.

    Args:
        models_uri: the registry.
        card: of the model, whose weights are checked by it.
        batch_size: pictures a pass.
        device: as torch names it, "cuda:0".

    Raises:
        ArtefactError: the weights are missing, or are not what the card says.
    """

    def __init__(self, models_uri: str, card: Card, *, batch_size: int, device: str) -> None:
        encoder = load_encoder(models_uri, card)
        self._device = torch.device(device)
        self._encoder = encoder.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        side = card.recipe.input_size
        self._pixels = np.zeros((batch_size, side, side, 3), np.uint8)
        self.dimension = card.dimension

    def _features(self) -> NDArray[np.float32]:
        pixels = torch.from_numpy(self._pixels).to(self._device).permute(0, 3, 1, 2)
        with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16):
            features: NDArray[np.float32] = self._encoder.features(pixels).float().cpu().numpy()
        return features
