"""Content as JSON bytes, equal for equal content, and the hash that identifies such bytes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return `content` as JSON, with its keys in order."""
    return json.dumps(content, indent=2, sort_keys=True).encode() + b"\n"


def digest(content: bytes) -> str:
    """Return the sha256 of `content` in hex."""
    return hashlib.sha256(content).hexdigest()
