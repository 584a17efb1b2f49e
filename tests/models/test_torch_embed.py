"""A picture has the same vector on another device as on the processor."""

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
def test_vectors_of_a_device_are_those_of_the_processor(tmp_path, pictures, device):
    encoder = untrained("small", dimension=32, seed=2)
    card = register(
        str(tmp_path), encoder, version="m1", recipe=Recipe("small", "none", 32, 64, "full"), run_id="run-1"
    )
    expected = load_model(str(tmp_path), "m1").embedder(batch_size=4).embed(pictures)
    embedded = TorchEmbedder(str(tmp_path), card, batch_size=4, threads=None, device=device).try_embed(
        [*pictures, b"broken"]
    )
    assert (embedded.vectors[:-1] * expected).sum(axis=1).min() > 0.999
    assert {i: reason for i, (reason, _) in embedded.refused.items()} == {len(pictures): "undecodable"}
