"""Training examples: a query, its candidates, and which of them is the positive."""
