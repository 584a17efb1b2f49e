"""Make a model: fit a projection of the backbone's features, or train on the newest snapshot of `training_examples`."""

from vsearch_lib.run.main import main
from vsearch_lib.training.step import train_encoder

if __name__ == "__main__":
    main(train_encoder)
