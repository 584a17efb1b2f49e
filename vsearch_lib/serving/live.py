"""The index as it is served: searched by many threads while newer versions come."""

from pathlib import Path

from vsearch_lib.artefact.pointer import read_manifest, read_pointer
from vsearch_lib.errors import ArtefactError
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store


class LiveIndex:
    """Follows CURRENT. A query takes `searcher` once and keeps it: what replaces it meanwhile does not disturb it."""

    def __init__(self, index_uri: str, *, cache: Path) -> None:
        """Open the version that is served.

        Raises:
            ArtefactError: nothing is published, or it does not verify: there is no earlier version to go on with.
        """
        self._store = open_store(index_uri)
        self._cache = cache
        self.searcher = Searcher.open(index_uri, cache=cache)

    def refresh(self) -> bool:
        """Open what CURRENT names where that is another version; return whether it was. One thread calls it.

        Shards that both versions name are neither read nor verified again. Copies in the cache that neither names go.

        Raises:
            ArtefactError: the new version does not verify; the one that was searched is searched on.
        """
        pointer = read_pointer(self._store)
        if pointer is None:
            raise ArtefactError(f"{self._store.uri} names no version any more; {self.version} is searched on")
        if pointer.version == self.version:
            return False
        before = self.searcher
        manifest = read_manifest(self._store, pointer)
        self.searcher = Searcher(self._store, manifest, cache=self._cache, before=before)
        named = {stored.file for of in (before, self.searcher) for stored in of.manifest.files}
        for copy in self._cache.glob("*-*"):
            if copy.name not in named:
                copy.unlink(missing_ok=True)
        return True

    @property
    def version(self) -> str:
        """The version that is searched."""
        return self.searcher.manifest.version
