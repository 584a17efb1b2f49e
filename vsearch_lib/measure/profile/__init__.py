"""What the lake holds, measured for each run: figures for `metrics`, and a page to look at."""
