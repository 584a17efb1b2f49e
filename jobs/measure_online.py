"""Measure what users did with the answers; write the page."""

from vsearch_lib.measure.online.step import measure_online
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(measure_online)
