"""Which pictures are to be near each other, and which are never pushed apart."""

import torch
from torch import Tensor

from vsearch_lib.training.local_snapshot import LocalSnapshot
from vsearch_lib.training.pair_set import PairSet
from vsearch_lib.vectors import RowIds


def positive_pairs(groups: Tensor, labels: Tensor) -> Tensor:
    """Return which pictures of a batch are to be near each other, (pictures, pictures) bool, none with itself.

    They are the pictures of one group, and the query and the positive of each example.

    Args:
        groups: (examples, 1 + candidates) int64, a query, then its candidates.
        labels: (examples,) int64, the index of the positive among the candidates.
    """
    flat = groups.flatten()
    pairs = flat.unsqueeze(0) == flat.unsqueeze(1)
    query = torch.arange(len(groups)) * groups.shape[1]
    positive = query + 1 + labels
    pairs[query, positive] = pairs[positive, query] = True
    return pairs.fill_diagonal_(False)


class Relations:
    """What is known about pairs of pictures of a snapshot, by the pictures' numbers.

    Args:
        snapshot: has the groups of pictures, and the groups that are known to belong together.
        differs: whether two inputs of one picture differ, so that a picture is a positive of itself.
        related_as_positives: whether pictures that are known to belong together are positives in all examples.
        neighbours: (pairs, 2) of pictures that are positives too, though nobody said so.
    """

    def __init__(
        self,
        snapshot: LocalSnapshot,
        *,
        differs: bool,
        related_as_positives: bool = False,
        neighbours: RowIds | None = None,
    ) -> None:
        self._snapshot, self._differs, self._related_as_positives = snapshot, differs, related_as_positives
        self._neighbours = None
        if neighbours is not None:
            self._neighbours = PairSet(*neighbours.T, size=len(snapshot.hashes))

    @property
    def candidates(self) -> int:
        """How many candidates each example has."""
        return self._snapshot.candidates

    def between(self, numbers: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        """Return which of the pictures `numbers` (n,) and `others` (m,) are positives, and which are related.

        Both are (n, m) bool. Related are the pictures of one group, and those of groups that belong together.
        """
        some, known = numbers.cpu().numpy(), others.cpu().numpy()
        groups, other_groups = self._snapshot.groups(some), self._snapshot.groups(known)
        related = self._snapshot.related(groups, other_groups)
        positives = related.copy() if self._related_as_positives else groups[:, None] == other_groups[None, :]
        if self._neighbours is not None:
            positives |= self._neighbours.holds(some, known)
        if not self._differs:
            positives &= some[:, None] != known[None, :]
        return torch.from_numpy(positives), torch.from_numpy(related)

    def of_batch(self, numbers: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return `positives` and `related` of a plan with these numbers and labels, both (pictures, pictures) bool."""
        flat = numbers.flatten()
        positives, related = self.between(flat, flat)
        own = positive_pairs(torch.tensor(self._snapshot.groups(numbers.cpu().numpy())), labels)
        if not self._differs:
            own &= flat.unsqueeze(0) != flat.unsqueeze(1)
        return (positives | own).fill_diagonal_(False), related
