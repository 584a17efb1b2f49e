"""The served index: many threads search it while newer versions are published."""

from pathlib import Path

from vsearch_lib.artefact.pointer import read_manifest, read_pointer
from vsearch_lib.errors import ArtefactError
from vsearch_lib.search.searcher import Searcher
from vsearch_lib.storage import open_store


class LiveIndex:
    """Follows CURRENT. A query reads `searcher` once and uses that one, even if `refresh` replaces it meanwhile."""

    def __init__(self, index_uri: str, *, cache: Path) -> None:
        """Open the served version.

        Raises:
            ArtefactError: nothing is published, or the served version does not verify.
        """
        self._store = open_store(index_uri)
        self._cache = cache
        self.searcher = Searcher.open(index_uri, cache=cache)

    def refresh(self) -> bool:
        """If CURRENT names another version, open it; return whether it did. Only one thread may call it.

        Shards that both versions name are not read or verified again. Copies in the cache that neither names are
        deleted.

        Raises:
            ArtefactError: CURRENT is missing, or the new version does not verify; the old version stays open.
        """
        pointer = read_pointer(self._store)
        if pointer is None:
            raise ArtefactError(f"{self._store.uri} no longer names a version; {self.version} is still searched")
        if pointer.version == self.version:
            return False
        before = self.searcher
        manifest = read_manifest(self._store, pointer)
        self.searcher = Searcher(self._store, manifest, cache=self._cache, before=before)
        named = {stored.file for searcher in (before, self.searcher) for stored in searcher.manifest.files}
        for copy in self._cache.glob("*-*"):
            if copy.name not in named:
                copy.unlink(missing_ok=True)
        return True

    @property
    def version(self) -> str:
        """The version that is searched."""
        return self.searcher.manifest.version
