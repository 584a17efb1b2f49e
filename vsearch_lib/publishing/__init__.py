"""A built version of the index passes its gate and is served; versions out of use are deleted."""
