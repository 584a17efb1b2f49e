"""The encoder maps pixels to a unit vector: its architectures, its preprocessing, and the one way to embed."""
