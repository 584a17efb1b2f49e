"""The description of a training snapshot, which makes its files readable: `snapshot.json`, written last."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from vsearch_lib.errors import ArtefactError
from vsearch_lib.examples.boxes import Boxes
from vsearch_lib.storage import Store

FORMAT: Literal[1] = 1
DESCRIPTION = "snapshot.json"


@dataclass(frozen=True)
class SnapshotFile:
    """A file of the snapshot, named relative to its folder."""

    file: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[0-9]+\.parquet$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: int
    rows: int


@dataclass(frozen=True)
class Snapshot:
    """A training snapshot.

    Attributes:
        name: the time of its newest input and a hash of all inputs.
        made_from: table → version, the index version if negatives came from it, and the settings.
        candidates: of each example: the positive and the negatives.
        pictures: files of (number, group, sha256, jpeg), in order of the number; a picture's number is its row in all
            files together. Pictures of one group show the same thing.
        examples: one list of files for each set of negatives: (query, candidate_0 …, label, weight), with the numbers
            of pictures.
        related: files of (group, other_group): groups that are known to belong together, in both directions.
        boxes: of the parts that people search with.
    """

    name: str
    made_from: Mapping[str, Any]
    candidates: int
    pictures: tuple[SnapshotFile, ...]
    examples: tuple[tuple[SnapshotFile, ...], ...]
    related: tuple[SnapshotFile, ...]
    boxes: Boxes
    format: Literal[1] = FORMAT

    @property
    def rows(self) -> int:
        """The number of examples with their first negatives."""
        return sum(file.rows for file in self.examples[0]) if self.examples else 0

    @property
    def files(self) -> list[SnapshotFile]:
        """All files but the description."""
        return [*self.pictures, *(file for part in self.examples for file in part), *self.related]


_JSON = TypeAdapter(Snapshot)


def encode(snapshot: Snapshot) -> bytes:
    """Return a snapshot's description as JSON bytes, the same for the same snapshot."""
    return _JSON.dump_json(snapshot, indent=2) + b"\n"


def read_snapshot(store: Store, name: str) -> Snapshot | None:
    """Return the snapshot `name` below `store`, None if it has no description: its writer did not finish.

    Raises:
        ArtefactError: the description is not one of this format.
    """
    stored = store.read_versioned(f"{name}/{DESCRIPTION}")
    if stored is None:
        return None
    try:
        return _JSON.validate_json(stored.content)
    except ValidationError as error:
        wrong = error.errors()[0]
        field = ".".join(map(str, wrong["loc"]))
        raise ArtefactError(
            f"{store.uri}/{name}/{DESCRIPTION} does not describe a snapshot ({field}: {wrong['msg']}): run "
            "build_training_examples again"
        ) from None
