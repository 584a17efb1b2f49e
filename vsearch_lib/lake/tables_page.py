"""`docs/tables.md`: a page that describes every table of `schemas/`. `make docs` writes it."""

from collections.abc import Iterator

from vsearch_lib.lake.schema import TableSchema, table_names, table_schema

_HEAD = """\
# Tables

The lake's tables as `schemas/` describes them. `make docs` writes this page; edit the files, not the page.

*Personal* marks values about a person: who they are (also a pseudonymous id), where, when, what they did or said, and
free text, paths and pictures, which may contain any of that. In tables about persons every column is personal.
*Names* says that a column holds ids of users or images: an erasure deletes the rows that name the erased user or image.
`vsearch schema check` compares a lake with these files; `vsearch schema migrate` makes the changes that the stored rows
allow.
"""


def tables_page() -> str:
    """Return the page in Markdown."""
    return "\n".join([_HEAD, *("\n".join(_section(table_schema(table))) for table in table_names())])


def _section(schema: TableSchema) -> Iterator[str]:
    yield f"## {schema.table}\n"
    yield f"{schema.comment}.\n"
    yield f"- Key: {_listed(schema.key)}"
    if schema.partition_by:
        yield f"- Partitioned by: {_listed(schema.partition_by)}"
    for name, value in schema.properties.items():
        yield f"- Property: `{name}` = `{value}`"
    for name, condition in schema.checks.items():
        yield f"- Check `{name}`: `{condition}`"
    yield "\n| column | type | null | names | personal | comment |\n|---|---|---|---|---|---|"
    for column in schema.columns:
        null, personal = ("yes" if flag else "" for flag in (column.nullable, column.personal))
        cells = (f"`{column.name}`", f"`{column.type}`", null, column.names or "", personal, _cell(column.comment))
        yield f"| {' | '.join(cells)} |"
    yield ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(tables_page(), end="")
