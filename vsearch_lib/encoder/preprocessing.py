"""How a stored picture is prepared for a network. Only the model's card decides this."""

from dataclasses import dataclass
from typing import Literal

from vsearch_lib.encoder.pixels import Pixels, to_square


@dataclass(frozen=True)
class Preprocessing:
    """A stored JPEG → (side, side, 3) uint8 RGB → the network's input, (value / 255 − mean) / std for each channel.

    The network itself subtracts and divides. `crop` and `interpolation` name the one way of `to_square`, so that a card
    that names another way is refused instead of embedded differently.
    """

    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop: Literal["central square"] = "central square"
    interpolation: Literal["area"] = "area"

    def __post_init__(self) -> None:
        """Check the values, which may come from a card.

        Raises:
            ValueError: this code does not support them.
        """
        if self.side < 1 or len(self.mean) != 3 or len(self.std) != 3 or not all(value > 0 for value in self.std):
            raise ValueError(f"side {self.side}, mean {self.mean}, std {self.std} cannot be applied to a picture")
        if (self.crop, self.interpolation) != ("central square", "area"):
            raise ValueError(f"crop {self.crop!r} with interpolation {self.interpolation!r} is not supported")

    def square(self, jpeg: bytes | memoryview, *, out: Pixels | None = None) -> Pixels:
        """Return the (side, side, 3) uint8 RGB that the network takes, written to `out` if that is given.

        Raises:
            ValueError: the bytes are not a JPEG.
        """
        return to_square(jpeg, self.side, out=out)
