"""Pages: one base, tables and galleries of pictures."""
