"""Build a candidate version of the index: a delta of what changed, a compaction, or a rebuild with a new template."""

from vsearch_lib.index.step import build_index
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(build_index)
