"""The neighbours service: a vector → the candidates of an index that are most similar to it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow.compute as pc

from vsearch_lib.artefact.manifest import ModelEntry
from vsearch_lib.artefact.pointer import read_version
from vsearch_lib.artefact.strangers import Strangers
from vsearch_lib.eligibility import FOR_EVERYBODY, may_see
from vsearch_lib.search.filter import Filter
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.serving.candidates import Candidate, Facts
from vsearch_lib.serving.live import LiveIndex
from vsearch_lib.storage import open_store
from vsearch_lib.vectors import Vectors


@dataclass(frozen=True)
class StoredImage:
    """An image of the catalogue: its facts and its stored vector, (d,)."""

    facts: Facts
    vector: Vectors = field(repr=False, compare=False)


class Neighbours(Protocol):
    """Searches one version of an index, even after another one was published."""

    @property
    def version(self) -> str:
        """The version that is searched."""

    @property
    def model(self) -> ModelEntry:
        """The model of its vectors."""

    @property
    def strangers(self) -> Strangers | None:
        """How similar unrelated images are, None if it was not measured."""

    def find(self, query: Vectors, depth: int, wanted: Filter, *, vectors: bool) -> Sequence[Candidate]:
        """Return the `depth` images that are most similar to a unit vector (d,), best first; all if there are fewer.

        They meet `wanted`, and have their vectors if `vectors` are wanted.
        """

    def known(self, image_ids: Sequence[str], viewer_id: str | None) -> Mapping[str, StoredImage]:
        """Return those of the images that the viewer may see; None is an anonymous viewer."""

    def random_ids(self, k: int) -> list[str]:
        """Return the ids of `k` random images that everybody may see; all if there are fewer."""


class NeighboursSource(Protocol):
    """Follows the published version."""

    def latest(self) -> Neighbours:
        """Return the version that was open after the last refresh."""

    def refresh(self) -> bool:
        """Open the published version if it is another one; return whether it was. Only one thread may call it.

        Raises:
            ArtefactError: it does not verify; the open version stays.
        """


class LocalNeighbours:
    """Searches in this process."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        hidden = pc.invert(pc.fill_null(pc.equal(searcher.rows["visibility"], FOR_EVERYBODY.value), False))
        self._owners_of_private = frozenset(pc.unique(searcher.rows["owner_id"].filter(hidden)).to_pylist())

    @property
    def version(self) -> str:
        """The version that is searched."""
        return self._searcher.manifest.version

    @property
    def model(self) -> ModelEntry:
        """The model of its vectors."""
        return self._searcher.manifest.model

    @property
    def strangers(self) -> Strangers | None:
        """How similar unrelated images are, None if it was not measured."""
        return self._searcher.manifest.strangers

    def find(self, query: Vectors, depth: int, wanted: Filter, *, vectors: bool) -> list[Candidate]:
        """Return the most similar images, as `Neighbours` says."""
        if wanted.viewer_id not in self._owners_of_private:
            # This viewer sees what everybody sees, and for that the searcher has the filter already.
            wanted = replace(wanted, viewer_id=None)
        depth = min(depth, max(1, len(self._searcher.rows)))
        hits = self._searcher.search(query[None], depth, wanted=None if wanted == Filter() else wanted)
        ids, cosines = hits.ids[0], hits.scores[0]
        ids, cosines = ids[ids >= 0], cosines[ids >= 0]
        stored = self._searcher.vectors(ids) if vectors else [None] * len(ids)
        facts = map(Facts.of_row, self._searcher.describe(ids))
        return [Candidate(*one) for one in zip(facts, cosines.tolist(), stored, strict=True)]

    def known(self, image_ids: Sequence[str], viewer_id: str | None) -> dict[str, StoredImage]:
        """Return those of the images that the viewer may see."""
        rows = {image_id: self._searcher.row_of(image_id) for image_id in image_ids}
        found = np.array([row for row in rows.values() if row is not None], dtype=np.int64)
        facts = map(Facts.of_row, self._searcher.describe(found))
        images = map(StoredImage, facts, self._searcher.vectors(found))
        return {image.facts.image_id: image for image in images if may_see(image.facts, viewer_id)}

    def random_ids(self, k: int) -> list[str]:
        """Return the ids of random images that everybody may see."""
        visible = self._searcher.visible_ids()
        chosen = random.sample(range(len(visible)), min(k, len(visible)))
        column = self._searcher.rows["image_id"]
        return [column[int(visible[place])].as_py() for place in chosen]


class LocalNeighboursSource:
    """Follows the published version in this process."""

    def __init__(self, live: LiveIndex) -> None:
        self._live = live
        self._latest = LocalNeighbours(live.searcher)

    def latest(self) -> LocalNeighbours:
        """Return the version that was open after the last refresh."""
        return self._latest

    def refresh(self) -> bool:
        """Open the published version if it is another one; return whether it was."""
        if not self._live.refresh():
            return False
        self._latest = LocalNeighbours(self._live.searcher)
        return True


class PinnedNeighboursSource:
    """One version in this process, whichever is published."""

    def __init__(self, index_uri: str, version: str, *, cache: Path) -> None:
        """Open the version, with a folder of its own in `cache`: LiveIndex deletes what it does not know.

        Raises:
            ArtefactError: there is no such version, or it does not verify.
        """
        store = open_store(index_uri)
        self._latest = LocalNeighbours(Searcher(store, read_version(store, version), cache=cache / "canary"))

    def latest(self) -> LocalNeighbours:
        """Return the version."""
        return self._latest

    def refresh(self) -> bool:
        """Return False: it is never another one."""
        return False
