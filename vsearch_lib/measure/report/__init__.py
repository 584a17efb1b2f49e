"""One report of everything that was measured: the figures of `metrics`, their history, and pictures."""
