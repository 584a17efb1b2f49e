"""Measure what people did with the answers, and whether uploads and queries drift; draw the page."""

from vsearch_lib.measure.online.step import measure_online
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(measure_online)
