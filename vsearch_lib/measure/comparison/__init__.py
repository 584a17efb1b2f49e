"""Two models on the same judged queries."""
