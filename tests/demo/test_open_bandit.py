"""Open Bandit's logs land as interactions: every row and every click, and nothing new the second time."""

import csv
import json
from pathlib import Path

import pytest

from vsearch_lib.config import PROJECT
from vsearch_lib.context import StepContext
from vsearch_lib.demo.open_bandit import convert
from vsearch_lib.run.bodies import body_of

REAL = PROJECT.parent / "shared" / "data" / "open-bandit"
COLUMNS = [
    "",
    "timestamp",
    "item_id",
    "position",
    "click",
    "propensity_score",
    *(f"user_feature_{i}" for i in range(4)),
]


def log(folder: Path, *rows: tuple[str, int, int, int, str]) -> Path:
    """Write a log in Open Bandit's columns: timestamp, item, position, click, a feature of the user."""
    file = folder / "random-men" / "men.csv"
    file.parent.mkdir(parents=True)
    with file.open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(COLUMNS)
        for number, (time, item, position, click, user) in enumerate(rows):
            writer.writerow([number, time, item, position, click, 1 / 34, user, "b", "c", "d"])
    return file


def test_a_row_becomes_an_impression_and_also_a_click_if_it_was_clicked(tmp_path):
    file = log(
        tmp_path,
        ("2019-11-24 00:03:13.442536+00:00", 14, 3, 0, "a"),
        ("2019-11-25 10:00:00.000001+00:00", 2, 1, 1, "z"),
    )
    assert convert(file, tmp_path) == 3
    days = sorted((tmp_path / "interactions").iterdir())
    assert [day.name for day in days] == ["date=2019-11-24", "date=2019-11-25"]
    first, (shown, clicked) = (
        [json.loads(line) for line in (day / "random-men.jsonl").read_text().splitlines()] for day in days
    )
    assert (first[0]["displayed_image_id"], first[0]["position"], first[0]["variant"]) == ("men:item-14", 3, "random")
    assert (shown["type"], clicked["type"]) == ("impression", "click")
    assert {**shown, "event_id": None, "type": None} == {**clicked, "event_id": None, "type": None}
    assert len({first[0]["event_id"], shown["event_id"], clicked["event_id"]}) == 3
    assert first[0]["user_id"] != shown["user_id"]


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/open-bandit is missing: no real clicks to ingest")
def test_every_real_row_is_ingested_and_the_second_time_nothing_changes(settings, lake, tmp_path):
    landed = sum(convert(REAL / name / "men.csv", tmp_path / "landing") for name in ("random-men", "bts-men"))
    assert landed == 20_000 + 46 + 69

    def ingest() -> dict[str, float]:
        job = StepContext(settings=settings, lake=lake, run_id="run", say=lambda _: None)
        figures = body_of("ingest_interactions")(job)
        return {f.metric.removeprefix("interactions_"): f.value for f in figures if f.value}

    assert ingest() == {"landed": landed, "accepted": landed}
    version = lake.version("interactions")
    assert ingest() == {"landed": landed, "unchanged": landed}
    assert lake.version("interactions") == version
    assert lake.read("interactions").where("type = 'click'").count() == 46 + 69
