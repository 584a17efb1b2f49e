"""What a training is made of besides its snapshot and settings; several processes read it from files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from vsearch_lib.storage import Store
from vsearch_lib.vectors import Vectors

_FEATURES, _FROZEN, _REST = "features.npy", "frozen.npy", "rest.safetensors"


@dataclass(frozen=True)
class Material:
    """The start of a training, and what it is validated on.

    Attributes:
        start: the weights of the network, as safetensors bytes.
        features: (pictures, 1 + views, width) of the frozen backbone, by the pictures' numbers: those of the picture
            itself, then those of views of it; None without pretrained weights.
        frozen: (pictures, d) of unit length, or zeros: whose similarities the training keeps; None if it keeps none.
        validation_features: (n, width) of the validation's pictures.
        validation_jpegs: (n) the same pictures, if the whole network is validated.
        relevant: (queries, n) bool, as `recall_of_each_query` takes it.
    """

    start: bytes
    features: Vectors | None
    frozen: Vectors | None
    validation_features: Vectors
    validation_jpegs: list[bytes]
    relevant: NDArray[np.bool_]


def save_material(material: Material, store: Store, folder: str, scratch: Path) -> None:
    """Write the material to `folder` of a store that all processes read; `scratch` is a local folder."""
    for name, vectors in ((_FEATURES, material.features), (_FROZEN, material.frozen)):
        if vectors is not None:
            np.save(scratch / name, vectors)
            store.write(f"{folder}/{name}", scratch / name)
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
    """Return what `save_material` wrote; the large arrays are memory-mapped."""
    names = store.list(folder)

    def mapped(name: str) -> Vectors | None:
        if f"{folder}/{name}" not in names:
            return None
        vectors: Vectors = np.load(store.fetch(f"{folder}/{name}", scratch / name), mmap_mode="r")
        return vectors

    rest = load(store.read(f"{folder}/{_REST}"))
    content, ends = rest["jpegs"].tobytes(), rest["jpeg_ends"].tolist()
    jpegs = [content[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return Material(
        rest["start"].tobytes(),
        mapped(_FEATURES),
        mapped(_FROZEN),
        rest["validation_features"],
        jpegs,
        rest["relevant"],
    )
