"""The lake: Delta tables whose schemas are data, the files in `schemas/`."""

from vsearch_lib.lake.schema import TableSchema, table_names, table_schema
from vsearch_lib.lake.tables import Lake

__all__ = ["Lake", "TableSchema", "table_names", "table_schema"]
