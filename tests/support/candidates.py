"""Makes candidates of a query, for tests of rules."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from vsearch_lib.serving.candidates import Candidate, Facts

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def candidate(image_id: str, cosine: float = 0.5, *, vector: Sequence[float] = (1, 0), **facts: object) -> Candidate:
    """A public candidate of the owner ann; its hash differs in many bits from that of other ids."""
    usual = Facts(image_id, "ann", "public", "ok", hashlib.sha256(image_id.encode()).hexdigest()[:16], DAY, (), None)
    return Candidate(replace(usual, **facts), cosine, np.array(vector, dtype=np.float32))


def ids(candidates: Sequence[Candidate]) -> list[str]:
    return [one.facts.image_id for one in candidates]


def marked(candidates: Sequence[Candidate]) -> dict[str, tuple[str, ...]]:
    """The rules that marked each candidate which is marked."""
    return {one.facts.image_id: one.rules for one in candidates if one.rules}


def at(minutes: int) -> datetime:
    return DAY + timedelta(minutes=minutes)
