"""The embedding and the neighbours service in processes of their own, as the front calls them."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import numpy as np

from vsearch_lib.artefact.manifest import ModelEntry
from vsearch_lib.artefact.strangers import Strangers
from vsearch_lib.errors import VsearchError
from vsearch_lib.search.filter import Filter
from vsearch_lib.serving.ask import Fractions
from vsearch_lib.serving.candidates import Candidate
from vsearch_lib.serving.http.wire import as_text, facts_of, filter_as_json, vectors_as_text, vectors_of
from vsearch_lib.serving.look import Look
from vsearch_lib.serving.neighbours import StoredImage
from vsearch_lib.vectors import Vectors


class ServiceUnavailable(VsearchError):
    """Raised when another service does not answer, or refuses."""


class RemoteService:
    """Calls a service; threads may share it."""

    def __init__(self, name: str, url: str, *, seconds: float, keys: Sequence[bytes] = ()) -> None:
        self._name, self._url = name, url
        headers = {"X-API-Key": keys[0].decode()} if keys else {}
        # Not through a proxy of the environment: the services are close to each other.
        self._client = httpx.Client(base_url=url, timeout=seconds, headers=headers, trust_env=False)

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON at `path`; ServiceUnavailable if there is none."""
        return self._answer("GET", path, params=parameters)

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Return the JSON that answers `content`.

        Raises:
            ServiceUnavailable: the service does not answer, or refuses.
            ValueError: what is sent has no answer, such as a picture without a vector.
        """
        return self._answer("POST", path, json=content)

    def _answer(self, method: str, path: str, **sent: Any) -> Any:
        try:
            response = self._client.request(method, path, **sent)
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise ServiceUnavailable(
                f"the {self._name} service at {self._url} does not answer ({why}); start it, or change its URL in "
                f"serving.{self._name}_url"
            ) from None
        if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            raise ValueError(_line(response))
        if response.status_code != httpx.codes.OK:
            raise ServiceUnavailable(f"the {self._name} service at {self._url} refuses: {_line(response)}")
        return response.json()


class RemoteEmbedding:
    """Embeds with one model in another process."""

    def __init__(self, service: RemoteService, entry: ModelEntry) -> None:
        self._service, self._entry = service, entry

    @property
    def model_version(self) -> str:
        """The version of the model."""
        return self._entry.version

    def load(self) -> None:
        """Make the model ready there."""
        self._asked("/load")

    def embed(self, jpegs: Sequence[bytes]) -> Vectors:
        """Return (n, d) float32 unit vectors of n pictures in the form that is stored."""
        return vectors_of(self._asked("/embed", *jpegs)["vectors"], len(jpegs))

    def embed_and_suggest(self, jpeg: bytes) -> tuple[Vectors, Fractions | None]:
        """Return the unit vector (d,) of a picture and the box of its main object, None if nothing stands out."""
        found = self._asked("/embed_and_suggest", jpeg)
        x, y, width, height = found["crop"] or [0.0] * 4
        return vectors_of(found["vectors"], 1)[0], (x, y, width, height) if found["crop"] else None

    def look(self, query: bytes, answer: bytes) -> Look | None:
        """Return what the model looks at in two pictures; None if its network cannot tell."""
        maps = self._asked("/look", query, answer)["maps"]
        return None if maps is None else Look(*(tuple(map(tuple, rows)) for rows in maps))

    def _asked(self, path: str, *jpegs: bytes) -> Any:
        return self._service.post(
            path, {"model_version": self._entry.version, "jpegs": [as_text(jpeg) for jpeg in jpegs]}
        )


class RemoteNeighbours:
    """Searches one version of the index in another process."""

    def __init__(self, service: RemoteService, latest: Mapping[str, Any]) -> None:
        self._service = service
        self.version = str(latest["version"])
        self.model = ModelEntry(**latest["model"])
        strangers = latest["strangers"]
        self.strangers = None if strangers is None else Strangers.from_fields(strangers)

    def find(self, query: Vectors, depth: int, wanted: Filter, *, vectors: bool) -> list[Candidate]:
        """Return the `depth` images that are most similar to a unit vector (d,)."""
        asked = {"version": self.version, "query": vectors_as_text(query), "depth": depth}
        found = self._service.post("/find", {**asked, "wanted": filter_as_json(wanted), "vectors": vectors})
        facts = facts_of(found["facts"])
        stored = vectors_of(found["vectors"], len(facts)) if vectors else [None] * len(facts)
        return [Candidate(*one) for one in zip(facts, found["cosines"], stored, strict=True)]

    def known(self, image_ids: Sequence[str], viewer_id: str | None) -> dict[str, StoredImage]:
        """Return those of the images that the viewer may see; None is an anonymous viewer."""
        asked = {"version": self.version, "image_ids": list(image_ids), "viewer_id": viewer_id}
        found = self._service.post("/known", asked)
        facts = facts_of(found["facts"])
        vectors = np.asarray(vectors_of(found["vectors"], len(facts)))
        return {one.image_id: StoredImage(one, vector) for one, vector in zip(facts, vectors, strict=True)}

    def random_ids(self, k: int) -> list[str]:
        """Return the ids of `k` random images that everybody may see."""
        ids: list[str] = self._service.get("/random_ids", version=self.version, k=k)["ids"]
        return ids


class RemoteNeighboursSource:
    """Follows the published version that the neighbours service has open, or stays with the version that is named."""

    def __init__(self, service: RemoteService, version: str | None = None) -> None:
        self._service = service
        self._asked = {} if version is None else {"version": version}
        self._latest = RemoteNeighbours(service, service.get("/latest", **self._asked))

    def latest(self) -> RemoteNeighbours:
        """Return the version that was open after the last refresh."""
        return self._latest

    def refresh(self) -> bool:
        """Ask whether another version is open there; return whether it is."""
        latest = RemoteNeighbours(self._service, self._service.get("/latest", **self._asked))
        changed = latest.version != self._latest.version
        if changed:
            self._latest = latest
        return changed


def _line(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP status {response.status_code}"
