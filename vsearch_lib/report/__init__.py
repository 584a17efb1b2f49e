"""Pages: one base, tables, charts and galleries of pictures; tables and charts for a terminal too."""
