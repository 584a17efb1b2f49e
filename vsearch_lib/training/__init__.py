"""Training of the encoder: petastorm reads the examples, they are augmented, and a contrastive loss is minimised."""
