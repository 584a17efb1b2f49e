"""Pictures are checked, normalised and merged into the lake."""
