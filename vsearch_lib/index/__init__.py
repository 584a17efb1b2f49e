"""The published index: a trained template, shards cloned from it, a gate, and a pointer that moves last."""
