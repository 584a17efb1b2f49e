"""A built version of the index passes its gate and is served; old versions are deleted."""
