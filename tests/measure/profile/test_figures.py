"""Figures of a profile, counted by hand on tables of a few rows."""

from datetime import date

import pytest

from vsearch_lib.context import StepContext
from vsearch_lib.figures import Figure
from vsearch_lib.lake import Lake
from vsearch_lib.lake.metrics import record
from vsearch_lib.measure.profile.figures import (
    BLURRED_BELOW,
    DARK_BELOW,
    MAX_DAYS,
    MAX_TAGS,
    image_figures,
    query_figures,
    refusal_figures,
    uniqueness_figures,
)
from vsearch_lib.run.bodies import body_of

SHARP, BRIGHT = BLURRED_BELOW, DARK_BELOW  # the first values that are not blurred, not dark
IMAGES = (
    "image_id string, sha256 string, upload_date date, tags array<string>, mode string, width int, height int, "
    "moderation string, deleted_at timestamp"
)
PIXELS = "sha256 string, sharpness double, brightness double"
EVENTS = "request_id string, query_image_id string, displayed_image_id string, type string"


class Tables:
    """Small tables, as they would be read from the lake."""

    def __init__(self, spark) -> None:
        self.spark = spark

    def images(self, *rows: dict):
        usual = {"day": date(2026, 11, 1), "tags": [], "mode": "RGB", "width": 300, "height": 400}
        usual |= {"moderation": "unreviewed", "deleted": False}
        filled = [{"sha256": f"sha-{row['id']}", **usual, **row} for row in rows]
        facts = ("id", "sha256", "day", "tags", "mode", "width", "height", "moderation", "deleted")
        return self.spark.createDataFrame(
            [tuple(row[fact] for fact in facts) for row in filled],
            IMAGES.replace("deleted_at timestamp", "deleted boolean"),
        ).selectExpr("*", "CASE WHEN deleted THEN timestamp'2026-11-02' END AS deleted_at")

    def pixels(self, *rows: tuple[str, float, float]):
        return self.spark.createDataFrame([(f"sha-{image}", *looks) for image, *looks in rows], PIXELS)

    def alike(self, *images: str):
        return self.spark.createDataFrame([(f"sha-{image}", "sha-a") for image in images], "sha256 string, g string")

    def events(self, *rows: tuple[str, str, str, str]):
        return self.spark.createDataFrame(list(rows), EVENTS)


@pytest.fixture
def tables(spark) -> Tables:
    return Tables(spark)


def sliced(figures: list[Figure], metric: str) -> dict[str, float]:
    return {figure.slice: figure.value for figure in figures if figure.metric == metric}


def value(figures: list[Figure], metric: str) -> float | None:
    return sliced(figures, metric).get("all")


@pytest.fixture(scope="module")
def five(spark) -> list[Figure]:
    """Five living images, a deleted and a blocked one; of one the pixels are not there."""
    tables = Tables(spark)
    images = tables.images(
        {"id": "a", "tags": ["mug", "red", "mug"]},
        {"id": "b", "tags": ["mug"], "sha256": "sha-a", "day": date(2026, 11, 3)},
        {"id": "c", "tags": ["red"], "mode": "L", "width": 128, "height": 5000},
        {"id": "d", "tags": ["mug"], "width": 127, "height": 127},
        {"id": "e", "width": 5000, "height": 4096},
        {"id": "gone", "sha256": "sha-c", "tags": ["red"], "mode": "CMYK", "deleted": True},
        {"id": "shut", "sha256": "sha-c", "tags": ["red"], "mode": "CMYK", "moderation": "blocked"},
    )
    pixels = tables.pixels(("a", SHARP - 1, BRIGHT), ("c", SHARP, BRIGHT - 1), ("d", SHARP, BRIGHT))
    events = tables.events(("1", "a", "b", "impression"), ("1", "a", "b", "click"), ("2", "c", "gone", "impression"))
    return image_figures(images, pixels, tables.alike("d", "e", "unheard-of"), events)


def test_living_images_are_counted(five):
    assert value(five, "images_living") == 5


def test_uploads_are_counted_by_day(five):
    assert sliced(five, "images_uploaded") == {"2026-11-01": 4, "2026-11-03": 1}


def test_a_tag_counts_once_an_image_and_the_most_frequent_comes_first(five):
    assert list(sliced(five, "tag_share").items()) == [("mug", 0.6), ("red", 0.4)]
    assert value(five, "untagged_share") == 0.2


def test_the_shorter_sides_are_counted_in_slices_of_which_empty_ones_are_shown(five):
    assert sliced(five, "image_sides") == {
        "0 to 127 px": 1,
        "128 to 255 px": 1,
        "256 to 511 px": 2,
        "512 to 1023 px": 0,
        "1024 to 2047 px": 0,
        "2048 to 4095 px": 0,
        "4096 px and more": 1,
    }


def test_modes_of_landed_files_are_counted(five):
    assert sliced(five, "image_mode") == {"RGB": 4, "L": 1}


def test_blurred_and_dark_are_shares_of_the_images_with_pixels(five):
    # a and b are the same blurred bytes, c is dark, nobody knows of e.
    assert value(five, "blurred_share") == 2 / 4
    assert value(five, "dark_share") == 1 / 4


def test_the_same_bytes_count_only_if_both_images_are_living(five):
    assert value(five, "same_bytes_share") == 2 / 5


def test_near_duplicates_are_those_of_the_table(five):
    assert value(five, "near_duplicate_share") == 2 / 5


def test_copies_and_near_duplicates_count_as_one_different_picture(tables):
    rows = [{"id": name} for name in "abcd"] + [{"id": "copy", "sha256": "sha-a"}, {"id": "gone", "deleted": True}]
    images = tables.images(*rows)
    groups = tables.spark.createDataFrame(
        [("sha-b", "sha-b"), ("sha-c", "sha-b")], "sha256 string, group_sha256 string"
    )
    assert uniqueness_figures(images, groups) == [Figure("unique_share", 3 / 5, n=5)]
    assert uniqueness_figures(tables.images({"id": "x", "deleted": True}), groups) == []


def test_an_image_that_was_only_a_query_was_never_shown(five):
    assert value(five, "never_shown_share") == 4 / 5


def test_only_the_most_frequent_tags_and_the_newest_days_are_figures(tables):
    images = [
        {"id": f"{n}", "tags": [f"tag-{tag:02d}" for tag in range(n + 1)], "day": date.fromordinal(740000 + n)}
        for n in range(MAX_DAYS + 3)
    ]
    figures = image_figures(
        tables.images(*images),
        tables.pixels(("0", 99.0, 99.0)),
        tables.alike("z"),
        tables.events(("1", "q", "q", "click")),
    )
    assert list(sliced(figures, "tag_share")) == [f"tag-{n:02d}" for n in range(MAX_TAGS)]
    days = [str(date.fromordinal(740000 + n)) for n in range(3, MAX_DAYS + 3)]
    assert list(sliced(figures, "images_uploaded")) == days


def test_clicks_are_counted_by_query_and_unknown_images_by_event(tables):
    shown = [("q1", "a", "b", "impression"), ("q1", "a", "b", "click"), ("q1", "a", "c", "click")]
    other = [("q2", "a", "b", "impression"), ("q3", "nobody", "b", "impression"), ("q3", "a", "nothing", "impression")]
    many = [("q4", "a", "b", "click")] * 6
    images = tables.images({"id": "a"}, {"id": "b"}, {"id": "c", "deleted": True})
    figures = query_figures(tables.events(*shown, *other, *many), images)
    assert value(figures, "interactions_stored") == 12
    assert value(figures, "queries") == 4
    assert value(figures, "clicks_per_query") == 8 / 4
    assert sliced(figures, "queries_by_clicks") == {"0": 2, "1": 0, "2": 1, "3": 0, "4": 0, "5 and more": 1}
    assert value(figures, "unknown_image_share") == 2 / 12


def test_a_share_has_the_number_of_its_images(five):
    over = {figure.metric: figure.n for figure in five if figure.metric.endswith("_share")}
    assert over.pop("blurred_share") == over.pop("dark_share") == 4
    assert set(over.values()) == {5}


def test_refusals_are_counted_by_reason_the_most_frequent_first(spark):
    quarantine = spark.createDataFrame([("undecodable",), ("empty_file",), ("undecodable",)], "reason string")
    assert list(sliced(refusal_figures(quarantine), "refused").items()) == [("undecodable", 2), ("empty_file", 1)]


def test_a_lake_without_tables_has_an_empty_profile_and_a_page(lake, settings):
    said: list[str] = []
    figures = body_of("profile_lake")(StepContext(settings=settings, lake=lake, run_id="run-1", say=said.append))
    assert {figure.metric: figure.value for figure in figures} == dict.fromkeys(
        (
            "images_living",
            "redundant_tag_pairs",
            "interactions_stored",
            "queries",
            "users_stored",
            "judgements_stored",
        ),
        0,
    )
    page = said[0].removeprefix("profile_lake: ")
    assert page.startswith(f"{settings.reports.uri}/profile-")
    with open(page) as file:
        assert "run-1" in file.read()


def test_the_figures_of_a_run_can_be_recorded_together(five, lake: Lake):
    assert len({(figure.metric, figure.slice) for figure in five}) == len(five)
    record(lake, five)
    assert lake.read("metrics").count() == len(five)
