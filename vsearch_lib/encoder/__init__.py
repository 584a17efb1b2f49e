"""The encoder: pixels in, a unit vector out; its architectures, its registry, and the one way to embed."""
