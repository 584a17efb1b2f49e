"""A job over an unchanged landing ends at once, and a job over a changed landing runs."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from vsearch_lib.config import load_settings
from vsearch_lib.context import StepContext
from vsearch_lib.images.metadata import may_be_metadata, sort_files
from vsearch_lib.lake import Lake, table_schema
from vsearch_lib.landing.listing import list_landed
from vsearch_lib.landing.state import LandingState

DAY = "date=2024-05-06"


@pytest.fixture(scope="module")
def jobs_of(spark):
    """Count the Spark jobs of a call."""

    def count(call: Callable[[], object]) -> int:
        group = f"jobs of {os.urandom(4).hex()}"
        spark.sparkContext.setJobGroup(group, "")
        call()
        return len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))

    return count


@pytest.fixture(scope="module")
def landed(tmp_path_factory, make):
    """Two good pictures, one broken picture, and one picture without metadata."""
    landed = make.landing(tmp_path_factory.mktemp("known") / "photos")
    for name in ("a", "b", "nobody's"):
        landed.put(f"{DAY}/{name}.png", make.picture(len(name)))
    landed.put(f"{DAY}/broken.png", b"nonsense")
    landed.describe([make.row(name, tags=["one"]) for name in ("a", "b", "broken")], f"{DAY}/metadata.jsonl")
    return landed


@pytest.fixture(scope="module")
def full_run(landed, ingest, jobs_of):
    """The figures and the number of Spark jobs of a run over files that an earlier run ingested, without its note."""
    ingest(landed, "first")
    notes = landed.folder.parent / "lake" / "done_before"
    (notes / "ingest_images.json").unlink()
    figures = {}
    jobs = jobs_of(lambda: figures.update(ingest(landed, "full")[1]))
    return figures, jobs


@pytest.fixture
def known(spark, landed, full_run) -> Callable[..., bool]:
    """Whether a run with these settings and days would end at once."""

    def is_known(*overrides: str, retry: bool = False, dates: tuple[date, ...] | None = None) -> bool:
        var = landed.folder.parent
        chosen = [f"var={var}", f"landing.images={landed.folder}", "quality.max_refused_share=0.9", *overrides]
        settings = load_settings("demo", chosen)
        context = StepContext(settings, Lake(spark, settings.lake.uri, "check"), "check", dates, say=lambda _: None)
        watched = ("images", "images_awaited", "image_files", "image_pixels", "near_duplicates")
        listing = list_landed(settings.landing.images, dates, never_clutter=may_be_metadata)
        opened = [metadata.file for metadata in sort_files(listing).metadata]
        landing = LandingState.of(context, "images", listing, opened=opened, tables=watched, retry=retry)
        return landing.earlier_figures() is not None

    return is_known


def test_an_unchanged_landing_gives_the_same_figures_without_a_spark_job(landed, ingest, jobs_of, full_run):
    figures, jobs = full_run
    assert jobs > 10
    again = {}
    assert jobs_of(lambda: again.update(ingest(landed, "again")[1])) == 0
    assert again == figures
    assert [again[f"images_{name}"] for name in ("landed", "unchanged", "accepted", "refused")] == [4, 2, 0, 2]


def test_a_run_with_other_settings_or_days_or_a_retry_does_not_end_at_once(known):
    assert known()
    assert not known("image.min_side=17")
    assert not known("quality.max_refused_share=0.1")
    assert not known(dates=(date(2024, 5, 6),))
    assert not known(retry=True)


@pytest.mark.parametrize("name", ["a.png", "broken.png"])
def test_a_picture_with_another_modification_time_is_a_change(known, landed, name):
    file: Path = landed.folder / DAY / name
    os.utime(file, (1_700_000_001, 1_700_000_001))
    assert not known()
    os.utime(file, (1_700_000_000, 1_700_000_000))
    assert known()


def test_an_added_or_removed_picture_is_a_change(known, landed, make):
    more = Path(landed.put(f"{DAY}/more.png", make.picture(4)))
    assert not known()
    more.rename(landed.folder / "elsewhere.png")
    assert not known()
    (landed.folder / "elsewhere.png").unlink()
    assert known()


def test_a_metadata_line_of_the_same_length_and_time_is_a_change(known, landed, make):
    rows = [make.row(name, tags=["two"]) for name in ("a", "b", "broken")]
    landed.describe(rows, f"{DAY}/metadata.jsonl")
    assert not known()
    landed.describe([{**row, "tags": ["one"]} for row in rows], f"{DAY}/metadata.jsonl")
    assert known()


@pytest.mark.parametrize("table", ["images", "quarantine"])
def test_a_commit_of_another_run_to_a_table_is_a_change(spark, known, landed, ingest, table):
    ingest(landed, "before")
    assert known()
    lake = Lake(spark, str(landed.folder.parent / "lake"), "concurrent")
    lake.delete_keys(table, lake.read(table).limit(1).select(*table_schema(table).key))
    assert not known()
    _, figures = ingest(landed, "after")
    assert figures["images_accepted"] == (1 if table == "images" else 0)
    assert known()
