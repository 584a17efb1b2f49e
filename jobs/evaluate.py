"""Measure the published index on judged queries, compared with simple baselines, and write the page."""

from vsearch_lib.measure.offline.step import evaluate
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(evaluate)
