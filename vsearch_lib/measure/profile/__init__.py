"""A profile of the lake at each run: figures for `metrics`, and a page."""
