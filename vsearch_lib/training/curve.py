"""The curve of a training: loss and recall after each epoch."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Epoch:
    """An epoch.

    Attributes:
        loss: the mean of its steps.
        recall: on validation images after it, None if there are too few.
        steps: how many it had; `training.max_minutes` leaves some out.
    """

    loss: float
    recall: float | None
    steps: int


@dataclass(frozen=True)
class Curve:
    """The epochs of a training.

    Attributes:
        recall_at_start: the recall before it, None if the weights at the start cannot be used.
        epochs: in order.
        may_be_chance: whether the best epoch may be no better than the start: then the weights at the start are kept.
    """

    recall_at_start: float | None
    epochs: tuple[Epoch, ...] = ()
    may_be_chance: bool = False

    def followed_by(self, epoch: Epoch) -> "Curve":
        """Return this curve with one more epoch."""
        return replace(self, epochs=(*self.epochs, epoch))

    @property
    def best(self) -> int:
        """The number of epochs after which the weights are best: 0 is the start.

        It is the earliest one with the highest recall, and the last one if no recall is known.
        """
        if self.may_be_chance:
            return 0
        measured = {n: recall for n, recall in enumerate(self._recalls) if recall is not None}
        return max(measured, key=lambda n: (measured[n], -n)) if measured else len(self.epochs)

    @property
    def best_recall(self) -> float | None:
        """The recall of the best weights."""
        return self._recalls[self.best]

    @property
    def epochs_without_gain(self) -> int:
        """How many epochs have passed since the best one."""
        return len(self.epochs) - self.best

    @property
    def _recalls(self) -> list[float | None]:
        return [self.recall_at_start, *(epoch.recall for epoch in self.epochs)]


def curve_of(fields: dict[str, object]) -> Curve:
    """Return the curve with the fields of `asdict`.

    Raises:
        TypeError: these are not the fields of a curve.
    """
    epochs, start = fields["epochs"], fields["recall_at_start"]
    if not isinstance(epochs, list) or not isinstance(start, float | None):
        raise TypeError("it holds no curve")
    return Curve(start, tuple(Epoch(**epoch) for epoch in epochs), bool(fields["may_be_chance"]))
