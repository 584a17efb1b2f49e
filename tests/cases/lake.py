"""Reads the outcome of a case from the lake, and lists how it differs from the expected one."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import functions as F

from tests.cases.case import Outcome, Source
from vsearch_lib.lake import Lake

_TABLES = {  # table → its id, and the columns whose values outcomes name
    "images": ("image_id", ("visibility", "uploaded_at", "source_uri")),
    "interactions": ("event_id", ("dwell_ms",)),
    "users": ("user_id", ("age_band",)),
}


@dataclass(frozen=True)
class Actual:
    """What a table holds.

    Attributes:
        rows: id → column → value as a text.
        refused: source → reason and message.
    """

    rows: Mapping[str, Mapping[str, str | None]]
    refused: Mapping[Source, tuple[str, str]]

    def below(self, folder: str, id_prefix: str | None = None) -> "Actual":
        """Return what came from a folder. Rows of tables without `source_uri` are selected by a prefix of their ids."""
        prefix = f"{folder}/"
        rows = {
            key: row
            for key, row in self.rows.items()
            if (key.startswith(id_prefix) if id_prefix is not None else (row["source_uri"] or "").startswith(prefix))
        }
        refused = {
            (file.removeprefix(prefix), line): refusal
            for (file, line), refusal in self.refused.items()
            if file.startswith(prefix)
        }
        return Actual(rows, refused)


def read_actual(lake: Lake, table: str) -> Actual:
    """Return the rows of a table, and what the quarantine holds of it."""
    key, columns = _TABLES[table]
    texts = [F.col(name).cast("string").alias(name) for name in columns]
    rows = lake.read(table).select(key, *texts).collect() if lake.exists(table) else []
    refused = lake.read("quarantine").where(F.col("table") == table).collect() if lake.exists("quarantine") else []
    return Actual(
        {row[key]: row.asDict() for row in rows},
        {(row["source"], row["line"]): (row["reason"], row["message"]) for row in refused},
    )


def differences(expected: Outcome, actual: Actual) -> list[str]:
    """Return a sentence for each difference; an empty list if there is none."""
    reasons = {source: reason for source, (reason, _) in actual.refused.items()}
    sentences = [
        *(f"{key!r} is not accepted" for key in sorted(expected.accepted - set(actual.rows))),
        *(f"{key!r} is accepted" for key in sorted(set(actual.rows) - expected.accepted)),
        *(
            f"{source} is refused as {reasons.get(source)}, not as {expected.refused.get(source)}"
            for source in sorted({*reasons, *expected.refused})
            if reasons.get(source) != expected.refused.get(source)
        ),
        *(
            f"the refusal of {source} says {actual.refused[source][1]!r}, not {words!r}"
            for source, words in expected.messages.items()
            if source in actual.refused and words not in actual.refused[source][1]
        ),
    ]
    private = {key for key, row in actual.rows.items() if row.get("visibility") == "private"}
    sentences += [
        f"{key!r} is {'private' if key in private else 'public'}"
        for key in sorted((private ^ expected.private) & set(actual.rows))
    ]
    for column, values in expected.values.items():
        sentences += [
            f"{column} of {key!r} is {actual.rows[key][column]}, not {value}"
            for key, value in values.items()
            if key in actual.rows and actual.rows[key][column] != value
        ]
    return sentences
