"""Pictures: checked, normalised, and merged into the lake."""
