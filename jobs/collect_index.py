"""Delete versions of the index that are out of use, and files that no remaining version names."""

from vsearch_lib.publishing.step import collect_index
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(collect_index)
