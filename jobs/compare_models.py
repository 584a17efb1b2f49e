"""Compare the newest model with the one in use on judged queries, and promote it if it ranks no worse."""

from vsearch_lib.measure.comparison.step import compare_models
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(compare_models)
