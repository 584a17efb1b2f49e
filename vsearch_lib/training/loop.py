"""The training loop: contrastive learning on batches of examples."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from vsearch_lib.encoder.network import Encoder
from vsearch_lib.errors import VsearchError
from vsearch_lib.examples.boxes import Boxes
from vsearch_lib.training.augment import random_views
from vsearch_lib.training.loss import contrastive_loss, positive_pairs
from vsearch_lib.training.reader import Batch

WARMUP_SHARE = 0.05
WEIGHT_DECAY = 1e-4
# A pretrained backbone needs small steps, a new projection large ones. Measured on clothing photos: equal rates ruin
# the backbone.
PRETRAINED_RATE = 0.1


@dataclass(frozen=True)
class Trained:
    """The outcome of a training: its steps, and the mean loss of the first and the last tenth of them."""

    steps: int
    first_loss: float
    last_loss: float


def train(
    encoder: Encoder,
    batches: Iterable[Batch],
    *,
    side: int,
    boxes: Boxes,
    total_steps: int,
    learning_rate: float,
    temperature: float,
    seed: int,
    pretrained: bool,
    progress: Callable[[int, int], None],
) -> Trained:
    """Train `encoder` in place with `contrastive_loss`; the weight of an example is that of its pictures.

    Args:
        encoder: with random or pretrained weights; the BatchNorm statistics of a pretrained encoder do not change.
        batches: as `reader.read_batches` yields them.
        side: of the views, in pixels.
        boxes: the parts of a picture that the views show.
        total_steps: number of steps of the cosine schedule of the learning rate.
        temperature: of the softmax over similarities.
        progress: called with the number of steps done and the number of all steps.

    Raises:
        VsearchError: there was no batch; an untrained network must not be taken for a trained one.
    """
    generator = torch.Generator().manual_seed(seed)
    backbone_rate = learning_rate * (PRETRAINED_RATE if pretrained else 1.0)
    projection = list(encoder.projection.parameters()) if encoder.projection is not None else []
    optimiser = torch.optim.AdamW(
        [
            {"params": list(encoder.backbone.parameters()), "lr": backbone_rate},
            {"params": projection, "lr": learning_rate},
        ],
        weight_decay=WEIGHT_DECAY,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, total_steps))
    _in_channels_last(encoder).train()
    if pretrained:
        _freeze_batch_statistics(encoder)
    losses: list[float] = []
    for step, batch in enumerate(batches, start=1):
        pictures = batch.pictures.flatten(0, 1)
        views = random_views(pictures, side, boxes, generator).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=_has_fast_bfloat16()):
            vectors = encoder(views)
        weights = batch.weights.unsqueeze(1).expand_as(batch.groups).flatten()
        positives = positive_pairs(batch.groups, batch.labels)
        loss = contrastive_loss(vectors.float(), positives, batch.related, weights, temperature=temperature)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        progress(min(step, total_steps), total_steps)
    if not losses:
        raise VsearchError("no example reached the training: are the pictures of the snapshot still in image_pixels?")
    encoder.eval()
    tenth = max(1, len(losses) // 10)
    return Trained(len(losses), sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth)


def _has_fast_bfloat16() -> bool:
    """Return whether this processor multiplies bfloat16 in hardware; without that it is slower than float32."""
    capability = torch.cpu.get_capabilities()
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16"))


def _in_channels_last(encoder: Encoder) -> Encoder:
    """Change the memory layout of the weights to the one that processors convolve fastest."""
    return encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _rate(step: int, total: int) -> float:
    warmup = max(1, round(total * WARMUP_SHARE))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))


def _freeze_batch_statistics(encoder: Encoder) -> None:
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
