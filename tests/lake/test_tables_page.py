"""The page about the tables has all that `schemas/` says."""

import subprocess
import sys

from vsearch_lib.config import PROJECT
from vsearch_lib.lake import table_names, table_schema
from vsearch_lib.lake.tables_page import tables_page

PAGE = PROJECT / "docs" / "tables.md"


def section(table: str) -> str:
    return tables_page().split(f"\n## {table}\n")[1].split("\n## ")[0]


def test_the_page_is_current():
    assert PAGE.read_text() == tables_page(), "docs/tables.md is not what schemas/ says: run `make docs` and commit it"


def test_the_command_writes_the_page():
    ran = subprocess.run(
        [sys.executable, "-m", "vsearch_lib.lake.tables_page"], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert ran.stdout == tables_page()


def test_every_table_has_a_section_with_all_of_its_schema():
    for table in table_names():
        schema, text = table_schema(table), section(table)
        parts = [schema.comment, *schema.key, *schema.partition_by, *schema.checks, *schema.checks.values()]
        parts += [*schema.properties, *schema.properties.values(), *(column.comment for column in schema.columns)]
        assert [part for part in parts if part not in text] == []
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == list(schema.names)


def test_a_row_says_whether_its_column_may_be_null_names_a_user_and_is_personal():
    rows = section("users").splitlines()
    assert "| `user_id` | `string` |  | user | yes | Pseudonymous id |" in rows
    assert "| `gender` | `string` | yes |  | yes | As the user gave it |" in rows
    assert "| `value` | `double` |  |  |  | The figure |" in section("metrics").splitlines()
