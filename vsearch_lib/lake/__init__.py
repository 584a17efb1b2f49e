"""The lake: Delta tables under schemas kept as data."""

from vsearch_lib.lake.schema import TableSchema, table_names, table_schema
from vsearch_lib.lake.tables import Lake

__all__ = ["Lake", "TableSchema", "table_names", "table_schema"]
