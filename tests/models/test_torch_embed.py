"""On another device a picture has the vector that it has on the processor."""

from __future__ import annotations

import pytest
import torch

from vsearch_lib.encoder.network import untrained
from vsearch_lib.models.load import load_model
from vsearch_lib.models.registration import register
from vsearch_lib.models.registry import Recipe
from vsearch_lib.models.torch_embed import TorchEmbedder

DEVICES = ["cpu", *(["cuda:0"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
def test_vectors_are_those_of_the_processor(tmp_path, pictures, device):
    encoder = untrained("small", dimension=32, seed=2)
    card = register(
        str(tmp_path), encoder, version="m1", recipe=Recipe("small", "none", 32, 64, "full"), run_id="run-1"
    )
    expected = load_model(str(tmp_path), "m1").embedder(batch_size=4).embed(pictures)
    found = TorchEmbedder(str(tmp_path), card, batch_size=4, threads=None, device=device).try_embed(
        [*pictures, b"broken"]
    )
    assert (found.vectors[:-1] * expected).sum(axis=1).min() > 0.999
    assert {place: reason for place, (reason, _) in found.refused.items()} == {len(pictures): "undecodable"}
