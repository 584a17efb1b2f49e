"""What a reader of the published index needs, and no more; nothing here imports Spark."""
