"""Where a training computes, and in which precision."""

from contextlib import AbstractContextManager

import torch


def training_device() -> torch.device:
    """Return the GPU if there is one, otherwise the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fast_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which networks compute in bfloat16 if `device` multiplies matrices of it.

    Elsewhere it is slower than float32: with AVX-512's bfloat16 alone, a step of an EfficientNet takes 1.3 to 2.3
    times as long.
    """
    is_fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.cpu.get_capabilities().get("amx_bf16")
    return torch.autocast(device.type, torch.bfloat16, enabled=bool(is_fast))


def is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether `error` says that a device's memory is too small; on a processor it has no type of its own."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
