"""What a training is made of besides its snapshot and settings; several processes read it from files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from vsearch_lib.storage import Store
from vsearch_lib.vectors import Vectors

_FEATURES, _REST = "features.npy", "rest.safetensors"


@dataclass(frozen=True)
class Material:
    """The start of a training, and what it is validated on.

    Attributes:
        start: the weights of the network, as safetensors bytes.
        features: (pictures, 1 + views, width) of the frozen backbone, by the pictures' numbers: those of the picture
            itself, then those of views of it; None without pretrained weights.
        validation_features: (n, width) of the validation's pictures.
        validation_jpegs: (n) the same pictures, if the whole network is validated.
        relevant: (queries, n) bool, as `validation.recall` takes it.
    """

    start: bytes
    features: Vectors | None
    validation_features: Vectors
    validation_jpegs: list[bytes]
    relevant: NDArray[np.bool_]


def save_material(material: Material, store: Store, folder: str, scratch: Path) -> None:
    """Write the material to `folder` of a store that all processes read; `scratch` is a local folder."""
    if material.features is not None:
        np.save(scratch / _FEATURES, material.features)
        store.write(f"{folder}/{_FEATURES}", scratch / _FEATURES)
    jpegs = material.validation_jpegs
    rest: dict[str, NDArray[Any]] = {
        "start": np.frombuffer(material.start, np.uint8),
        "validation_features": np.ascontiguousarray(material.validation_features),
        "jpegs": np.frombuffer(b"".join(jpegs), np.uint8),
        "jpeg_ends": np.cumsum([len(jpeg) for jpeg in jpegs], dtype=np.int64),
        "relevant": np.ascontiguousarray(material.relevant),
    }
    (scratch / _REST).write_bytes(save(rest))
    store.write(f"{folder}/{_REST}", scratch / _REST)


def read_material(store: Store, folder: str, scratch: Path) -> Material:
    """Return what `save_material` wrote; the features are memory-mapped."""
    features = None
    if f"{folder}/{_FEATURES}" in store.list(folder):
        file = store.fetch(f"{folder}/{_FEATURES}", scratch / _FEATURES)
        features = np.load(file, mmap_mode="r", allow_pickle=False)
    rest = load(store.read(f"{folder}/{_REST}"))
    content, ends = rest["jpegs"].tobytes(), rest["jpeg_ends"].tolist()
    jpegs = [content[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return Material(rest["start"].tobytes(), features, rest["validation_features"], jpegs, rest["relevant"])
