"""The lake: Delta tables under schemas kept as data."""

from vsearch_lib.lake.schema import TableSchema, table_names, table_schema
from vsearch_lib.lake.session import spark_session, start_session
from vsearch_lib.lake.tables import Lake

__all__ = ["Lake", "TableSchema", "spark_session", "start_session", "table_names", "table_schema"]
