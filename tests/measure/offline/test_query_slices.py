"""A query picture is in the slices of its tags, its pixels, its owner, its age and its popularity."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.support.photo_catalogue import DAY
from vsearch_lib.config import load_settings
from vsearch_lib.lake import Lake
from vsearch_lib.measure.offline.query_slices import slices_of_each

NOON = datetime(2024, 5, 6, 12)
IMAGE = (
    "image_id string, owner_id string, uploaded_at timestamp, upload_date date, tags array<string>, visibility string, "
    "moderation string, source_uri string, sha256 string, phash string, width int, height int, mode string, "
    "deleted_at timestamp, said_on struct<file: date, owner_id: date, uploaded_at: date, tags: date, visibility: date, "
    "moderation: date, deleted: date>"
)
PIXELS = (
    "sha256 string, jpeg binary, phash string, width int, height int, mode string, brightness double, sharpness double"
)
EVENT = (
    "event_id string, displayed_image_id string, request_id string, event_date date, position int, type string, "
    "occurred_at timestamp, query_image_id string, user_id string"
)
NULLS = (
    "query_upload_id string, crop_x double, crop_y double, crop_width double, crop_height double, dwell_ms bigint, "
    "latitude double, longitude double, index_version string, variant string"
)


@pytest.fixture(scope="module")
def slices(spark, tmp_path_factory):
    """The slices of eight images: a to h, uploaded in this order, of which h is displayed most often."""
    var = tmp_path_factory.mktemp("slices")
    settings = load_settings("demo", [f"var={var}"])
    lake = Lake(spark, settings.lake.uri, "run-1")
    names = "abcdefgh"
    images, pixels = [], []
    for number, name in enumerate(names):
        sha, at = name * 64, NOON + timedelta(hours=number)
        side = {"a": 100, "b": 256, "c": 2000}.get(name, 600)
        sharp, bright = {"a": (1.0, 100.0), "b": (100.0, 10.0)}.get(name, (100.0, 100.0))
        tags = {"a": ["mug", "red", "mug"], "b": []}.get(name, ["cup"])
        images.append(
            (
                name,
                f"owner-{name}",
                at,
                DAY,
                tags,
                "public",
                "ok",
                f"f/{name}",
                sha,
                "0" * 16,
                side,
                3000,
                "RGB",
                None,
                (DAY,) * 7,
            )
        )
        pixels.append((sha, bytearray(b"\xff\xd8"), "0" * 16, 10, 10, "RGB", bright, sharp))
    lake.upsert("images", spark.createDataFrame(images, IMAGE))
    lake.upsert("image_pixels", spark.createDataFrame(pixels, PIXELS))
    users = [("owner-a", "18-24", "female", "Kiel", "DE", DAY), ("owner-b", "unknown", None, None, "FR", DAY)]
    columns = "user_id string, age_band string, gender string, city string, country string, landed_on date"
    lake.upsert("users", spark.createDataFrame(users, columns))
    days = {"h": [0, 0, 0, 0], "a": [40] * 9, "b": [0], "c": [0], "d": [0], "e": [0]}
    events = [
        (f"{name}-{n}", name, f"{name}-{n}", DAY - timedelta(days=ago), 1, "impression", NOON, "q", "u", *[None] * 10)
        for name, agos in days.items()
        for n, ago in enumerate(agos)
    ]
    lake.upsert("interactions", spark.createDataFrame(events, f"{EVENT}, {NULLS}"))
    return slices_of_each(lake, settings, [*names, "unknown"])


def test_an_image_is_in_the_slices_of_all_that_is_known_of_it(slices):
    assert sorted(slices["a"]) == [
        "age band: 18-24",
        "country: DE",
        "gender: female",
        "popularity: tail",  # its many impressions are older than `online.days`
        "quality: blurred",
        "shorter side: below 256 px",
        "tag: mug",
        "tag: red",
        "uploaded: earlier",
    ]


def test_what_is_not_known_makes_no_slice(slices):
    assert sorted(slices["b"]) == [
        "country: FR",
        "popularity: tail",
        "quality: dark",
        "shorter side: 256 to 1023 px",
        "uploaded: earlier",
    ]
    assert "unknown" not in slices


def test_the_newest_quarter_and_the_most_displayed_fifth_are_slices(slices):
    assert {name for name in slices if "uploaded: newest quarter" in slices[name]} == {"g", "h"}
    assert {name for name in slices if "popularity: head" in slices[name]} == {"h"}
    assert {"quality: good", "shorter side: 1024 px and more"} <= set(slices["c"])
