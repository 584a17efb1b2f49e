"""What became of a case in the lake, and how that differs from what must become of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import functions as F

from tests.cases.case import Outcome, Place
from vsearch_lib.lake import Lake

_TABLES = {  # → id, and columns that outcomes have values of
    "images": ("image_id", ("visibility", "uploaded_at", "source_uri")),
    "interactions": ("event_id", ("dwell_ms",)),
    "users": ("user_id", ("age_band",)),
}


@dataclass(frozen=True)
class Found:
    """Rows of a table by id, each column → a text; and what is refused, (file, line) → reason and message."""

    rows: Mapping[str, Mapping[str, str | None]]
    refused: Mapping[Place, tuple[str, str]]

    def below(self, folder: str, id_prefix: str | None = None) -> "Found":
        """Return what came from a folder; tables that do not know from where are looked at by a prefix of ids."""
        above = f"{folder}/"
        rows = {
            key: row
            for key, row in self.rows.items()
            if (key.startswith(id_prefix) if id_prefix is not None else (row["source_uri"] or "").startswith(above))
        }
        refused = {
            (source.removeprefix(above), line): why
            for (source, line), why in self.refused.items()
            if source.startswith(above)
        }
        return Found(rows, refused)


def found_in(lake: Lake, table: str) -> Found:
    """Return what a table and the quarantine hold."""
    key, columns = _TABLES[table]
    texts = [F.col(name).cast("string").alias(name) for name in columns]
    rows = lake.read(table).select(key, *texts).collect() if lake.exists(table) else []
    refused = lake.read("quarantine").where(F.col("table") == table).collect() if lake.exists("quarantine") else []
    return Found(
        {row[key]: row.asDict() for row in rows},
        {(row["source"], row["line"]): (row["reason"], row["message"]) for row in refused},
    )


def differences(must: Outcome, found: Found) -> list[str]:
    """Return how what was found differs from what must be, a sentence each; nothing if it does not."""
    reasons = {place: reason for place, (reason, _) in found.refused.items()}
    said = [
        *(f"{key!r} is not accepted" for key in sorted(must.accepted - set(found.rows))),
        *(f"{key!r} is accepted" for key in sorted(set(found.rows) - must.accepted)),
        *(
            f"{place} is refused as {reasons.get(place)}, not as {must.refused.get(place)}"
            for place in sorted({*reasons, *must.refused})
            if reasons.get(place) != must.refused.get(place)
        ),
        *(
            f"the refusal of {place} says {found.refused[place][1]!r}, not {words!r}"
            for place, words in must.messages.items()
            if place in found.refused and words not in found.refused[place][1]
        ),
    ]
    private = {key for key, row in found.rows.items() if row.get("visibility") == "private"}
    said += [
        f"{key!r} is {'private' if key in private else 'public'}"
        for key in sorted((private ^ must.private) & set(found.rows))
    ]
    for column, values in must.values.items():
        said += [
            f"{column} of {key!r} is {found.rows[key][column]}, not {value}"
            for key, value in values.items()
            if key in found.rows and found.rows[key][column] != value
        ]
    return said
