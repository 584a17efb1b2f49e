"""What to search with: recall, latency, bytes and building time, measured on the vectors that are published."""
