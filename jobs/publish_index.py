"""Check the version that this run built against the gate, and publish it: the pointer moves last, or not at all."""

from vsearch_lib.publishing.step import publish_index
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(publish_index)
