"""Monitor the lake and the published index: drift, missing data, refusals, live recall, differences; write the page."""

from vsearch_lib.measure.monitoring.step import monitor
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(monitor)
