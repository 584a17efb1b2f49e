"""Ingests most cases together in the suite's session, and checks the outcome of each.

`make test-cases` runs every case through the commands that people type, those that need their own process as well.
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
from tests.cases.lake import Actual, differences, read_actual
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


def folder_name(case: Case, part: Part) -> str:
    """The name of a part's folder. It leaves out the name of the case, which may contain the word metadata."""
    return f"{case.number:02d}-{part.folder}"


def outcomes(table: str) -> list[Outcome]:
    return [part.tables[table] for _, part in TOGETHER if table in part.tables]


@dataclass(frozen=True)
class Ingested:
    """What ingest jobs printed, and what the lake holds after them."""

    zone: Path
    lake: Lake
    lines: list[str]
    actual: Mapping[str, Actual]


def ingest(spark, var: Path, images: str, zone: Path, tables: tuple[str, ...], *, dates=None) -> Ingested:
    overrides = [f"var={var}", f"landing.images={images}", f"landing.uri={zone}", TAKES_ALL]
    settings = load_settings("demo", overrides)
    lake = Lake(spark, settings.lake.uri, "cases")
    lines: list[str] = []
    for table in tables:
        body_of(f"ingest_{table}")(
            StepContext(settings=settings, lake=lake, run_id="cases", dates=dates, say=lines.append)
        )
    checked = ("images", *RECORDS)
    return Ingested(zone, lake, lines, {table: read_actual(lake, table) for table in tables if table in checked})


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[int, Path]:
    """The input folder of each case that runs in the session."""
    folder = tmp_path_factory.mktemp("inputs")
    built = {case.number: folder / str(case.number) for case in CASES if not case.own_process}
    for case in CASES:
        if case.number in built:
            case.build(built[case.number])
    return built


@pytest.fixture(scope="module")
def together(spark, inputs, tmp_path_factory) -> Ingested:
    """All parts, ingested at once: the folder of each table holds a folder for each part."""
    var = tmp_path_factory.mktemp("together")
    zone = var / "landing"
    for case, part in TOGETHER:
        for table in part.tables:
            source = inputs[case.number] / part.folder
            target = zone / table / folder_name(case, part)
            target.parent.mkdir(parents=True, exist_ok=True)
            (source / table if part.is_landing_zone else source).rename(target)
    return ingest(spark, var, str(zone / "images"), zone, ("images", *RECORDS))


@pytest.mark.parametrize(("case", "part"), TOGETHER, ids=[label(*pair) for pair in TOGETHER])
def test_a_case_has_its_expected_outcome(together, case, part):
    name = folder_name(case, part)
    for table, outcome in part.tables.items():
        id_prefix = None if table == "images" else f"{case.number}-"
        actual = together.actual[table].below(str(together.zone / table / name), id_prefix)
        assert differences(outcome.with_id_prefix(name), actual) == []


@pytest.mark.parametrize(("case", "part"), APART, ids=[label(*pair) for pair in APART])
def test_a_folder_given_as_an_unusual_address_has_its_expected_outcome(spark, inputs, tmp_path, case, part):
    folder = inputs[case.number] / part.folder
    ingested = ingest(spark, tmp_path, part.address(folder), tmp_path, ("images",))
    assert differences(part.tables["images"], ingested.actual["images"]) == []


@pytest.mark.parametrize("table", ["images", *RECORDS])
def test_each_job_prints_the_sum_of_all_cases(together, table):
    assert account_line(table, outcomes(table)) in together.lines


def test_every_case_has_a_unique_number_and_either_parts_or_its_own_check():
    assert {case.number for case in CASES if not case.parts} == set(CHECKS)
    assert all(case.own_process for case in CASES if not case.parts)
    assert len({case.number for case in CASES}) == len(CASES)


def test_each_job_reports_a_day_without_a_folder_and_ingests_nothing(spark, tmp_path):
    (odd_partitions,) = (case for case in CASES if case.number == 31)
    odd_partitions.build(tmp_path)
    zone = tmp_path / "landing"
    ingested = ingest(spark, tmp_path, str(zone / "images"), zone, JOBS, dates=(date(2026, 11, 1),))
    folders = {table: zone / table / "date=2026-11-01" for table in JOBS}
    assert ingested.lines == [
        f"{table}: nothing landed: there is no folder {folder}" for table, folder in folders.items()
    ]
    assert [actual.rows for actual in ingested.actual.values()] == [{}, {}, {}]


@pytest.mark.parametrize("name", shown_upright())
def test_an_odd_picture_is_stored_upright_and_in_its_colours(together, name):
    image_id = f"{folder_name(ZOO, ZOO.parts[0])}/{name}"
    images = together.lake.read("images").where(f"image_id = '{image_id}'")
    (row,) = together.lake.read("image_pixels").join(images.select("sha256"), "sha256").collect()
    expected = shown_upright()[name]
    stored = Image.open(io.BytesIO(row["jpeg"]))
    assert stored.width > stored.height if expected.width > expected.height else stored.width < stored.height
    difference = np.asarray(stored.convert("RGB").resize(expected.size)).astype(int) - np.asarray(expected)
    assert np.abs(difference).mean() < 8
