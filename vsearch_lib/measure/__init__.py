"""How good the answers are, how people used them, and what the lake holds."""
