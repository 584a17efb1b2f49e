"""How good the answers are, what people did with them, and what the lake holds."""
