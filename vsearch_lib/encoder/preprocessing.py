"""What a network wants done to a stored picture. It belongs to the model's card, and nothing else decides it."""

from dataclasses import dataclass
from typing import Literal

from vsearch_lib.encoder.pixels import Pixels, to_square


@dataclass(frozen=True)
class Preprocessing:
    """A stored JPEG → (side, side, 3) uint8 RGB → the network's input, (value / 255 − mean) / std for each channel.

    The network itself subtracts and divides. `crop` and `interpolation` name what `to_square` does: one way each, so
    that a card which names another is refused and not embedded differently.
    """

    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop: Literal["central square"] = "central square"
    interpolation: Literal["area"] = "area"

    def __post_init__(self) -> None:
        """Check what a card may say.

        Raises:
            ValueError: it asks for something that this code does not do.
        """
        if self.side < 1 or len(self.mean) != 3 or len(self.std) != 3 or not all(value > 0 for value in self.std):
            raise ValueError(f"side {self.side}, mean {self.mean}, std {self.std} cannot be applied to a picture")
        if (self.crop, self.interpolation) != ("central square", "area"):
            raise ValueError(f"crop {self.crop!r} with interpolation {self.interpolation!r} is not known here")

    def square(self, jpeg: bytes | memoryview, *, out: Pixels | None = None) -> Pixels:
        """Return the (side, side, 3) uint8 RGB that the network takes, written to `out` if that is given.

        Raises:
            ValueError: the bytes are not a JPEG.
        """
        return to_square(jpeg, self.side, out=out)
