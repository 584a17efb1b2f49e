"""The quick form of the cases: taken in together in the suite's session, and looked at one by one.

`make test-cases` gives each to the commands that people type, and those that need a process of their own as well.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cases.case import TAKES_ALL, Case, Outcome, Part, account_line
from tests.cases.catalogue import CASES
from tests.cases.lake import Found, differences, found_in
from tests.cases.nights import CHECKS
from tests.cases.zoo import ZOO, shown_upright
from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.lake import Lake
from vsearch_lib.run.bodies import body_of

RECORDS = ("interactions", "users")
JOBS = ("images", *RECORDS, "judgements")
IN_SESSION = [(case, part) for case in CASES for part in case.parts if not case.own_process]
TOGETHER = [(case, part) for case, part in IN_SESSION if part.address is str]
APART = [(case, part) for case, part in IN_SESSION if part.address is not str]


def label(case: Case, part: Part) -> str:
    return f"{case.label}-{part.folder}" if len(case.parts) > 1 else case.label


def place_of(case: Case, part: Part) -> str:
    """The folder of a part where all are taken in together; the name of a case may speak of metadata, and this not."""
    return f"{case.number:02d}-{part.folder}"


def outcomes(table: str) -> list[Outcome]:
    return [part.tables[table] for _, part in TOGETHER if table in part.tables]


@dataclass(frozen=True)
class Ingested:
    """Jobs that took in landing folders: the lines they said, and what is in the lake."""

    zone: Path
    lake: Lake
    said: list[str]
    found: Mapping[str, Found]


def ingest(spark, var: Path, images: str, zone: Path, tables: tuple[str, ...], *, dates=None) -> Ingested:
    overrides = [f"var={var}", f"landing.images={images}", f"landing.uri={zone}", TAKES_ALL]
    settings = load_settings("demo", overrides)
    lake = Lake(spark, settings.lake.uri, "cases")
    said: list[str] = []
    for table in tables:
        body_of(f"ingest_{table}")(
            StepContext(settings=settings, lake=lake, run_id="cases", dates=dates, say=said.append)
        )
    looked_at = ("images", *RECORDS)
    return Ingested(zone, lake, said, {table: found_in(lake, table) for table in tables if table in looked_at})


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[int, Path]:
    """The folder of each case that the session takes in."""
    folder = tmp_path_factory.mktemp("inputs")
    built = {case.number: folder / str(case.number) for case in CASES if not case.own_process}
    for case in CASES:
        if case.number in built:
            case.build(built[case.number])
    return built


@pytest.fixture(scope="module")
def together(spark, inputs, tmp_path_factory) -> Ingested:
    """All that is taken in at once: in the zone, a folder for each part in the folder of each table."""
    var = tmp_path_factory.mktemp("together")
    zone = var / "landing"
    for case, part in TOGETHER:
        for table in part.tables:
            source = inputs[case.number] / part.folder
            target = zone / table / place_of(case, part)
            target.parent.mkdir(parents=True, exist_ok=True)
            (source / table if part.is_landing_zone else source).rename(target)
    return ingest(spark, var, str(zone / "images"), zone, ("images", *RECORDS))


@pytest.mark.parametrize(("case", "part"), TOGETHER, ids=[label(*one) for one in TOGETHER])
def test_case(together, case, part):
    place = place_of(case, part)
    for table, outcome in part.tables.items():
        id_prefix = None if table == "images" else f"{case.number}-"
        found = together.found[table].below(str(together.zone / table / place), id_prefix)
        assert differences(outcome.taken_in_from(place), found) == []


@pytest.mark.parametrize(("case", "part"), APART, ids=[label(*one) for one in APART])
def test_case_by_the_address_that_a_person_wrote(spark, inputs, tmp_path, case, part):
    folder = inputs[case.number] / part.folder
    ingested = ingest(spark, tmp_path, part.address(folder), tmp_path, ("images",))
    assert differences(part.tables["images"], ingested.found["images"]) == []


@pytest.mark.parametrize("table", ["images", *RECORDS])
def test_the_sum_of_all_cases_is_said(together, table):
    assert account_line(table, outcomes(table)) in together.said


def test_every_case_has_folders_to_take_in_or_a_check_of_its_own_and_a_number():
    assert {case.number for case in CASES if not case.parts} == set(CHECKS)
    assert all(case.own_process for case in CASES if not case.parts)
    assert len({case.number for case in CASES}) == len(CASES)


def test_a_day_without_a_folder_is_said_by_each_job_and_takes_in_nothing(spark, tmp_path):
    (odd_partitions,) = (case for case in CASES if case.number == 31)
    odd_partitions.build(tmp_path)
    zone = tmp_path / "landing"
    ingested = ingest(spark, tmp_path, str(zone / "images"), zone, JOBS, dates=(date(2026, 11, 1),))
    folders = {table: zone / table / "date=2026-11-01" for table in JOBS}
    assert ingested.said == [
        f"{table}: nothing landed: there is no folder {folder}" for table, folder in folders.items()
    ]
    assert [found.rows for found in ingested.found.values()] == [{}, {}, {}]


@pytest.mark.parametrize("name", shown_upright())
def test_a_picture_of_the_zoo_is_stored_upright_and_in_its_colours(together, name):
    image_id = f"{place_of(ZOO, ZOO.parts[0])}/{name}"
    images = together.lake.read("images").where(f"image_id = '{image_id}'")
    (row,) = together.lake.read("image_pixels").join(images.select("sha256"), "sha256").collect()
    wanted = shown_upright()[name]
    stored = Image.open(io.BytesIO(row["jpeg"]))
    assert stored.width > stored.height if wanted.width > wanted.height else stored.width < stored.height
    difference = np.asarray(stored.convert("RGB").resize(wanted.size)).astype(int) - np.asarray(wanted)
    assert np.abs(difference).mean() < 8
