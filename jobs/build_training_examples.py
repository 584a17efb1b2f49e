"""Choose what the encoder learns from: write one snapshot of `training_examples`."""

from vsearch_lib.examples.step import build_training_examples
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(build_training_examples)
