"""Training the encoder: examples read by petastorm, augmented, pulled together and apart by a contrastive loss."""
